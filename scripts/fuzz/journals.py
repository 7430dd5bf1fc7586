"""Damaged journals: a chunk is what was saved, or is drawn again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from msdm_cli.jobs.journal import Journal
from scripts.fuzz.damage import change, damage, list_changes, list_edits

IDENTITY = {
    "task": "separate",
    "options": {"seed": 1, "stems": ["bass"]},
    "versions": {"msdm": "1"},
}
CHUNKS = [np.random.default_rng(n).standard_normal((2, 4, 30), np.float32) for n in range(3)]


def list_inputs() -> SearchStrategy[Any]:
    """Which files are damaged, and how."""
    chunk = st.tuples(st.integers(0, len(CHUNKS) - 1), list_edits())
    swap = st.tuples(st.integers(0, len(CHUNKS) - 1), st.integers(0, len(CHUNKS) - 1))
    identity = st.one_of(st.none(), list_changes(), list_edits().map(tuple))
    return st.tuples(st.lists(chunk, max_size=3), st.none() | swap, identity)


def read(damaged: Any, folder: Path) -> None:
    """Go on from a journal.

    Raises:
        MsdmError: It is not taken.
    """
    chunks, swap, identity = damaged
    place = folder / ".msdm.part"
    _write(place)
    for index, edits in chunks:
        path = place / f"{index}.chunk"
        path.write_bytes(damage(path.read_bytes(), edits))
    if swap:
        one, two = (place / f"{index}.chunk" for index in swap)
        content = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(content)
    if identity is not None:
        job = place / "job.json"
        whole = job.read_bytes()
        edited = isinstance(identity, tuple)
        job.write_bytes(
            damage(whole, list(identity))
            if edited
            else json.dumps(change(IDENTITY, identity)).encode()
        )
    with Journal(place, IDENTITY) as journal:
        journal.begin()
        for index, expected in enumerate(CHUNKS):
            found = journal.load(index)
            assert found is None or np.array_equal(found, expected)


def _write(place: Path) -> None:
    """The journal of a job that was killed."""
    with Journal(place, IDENTITY) as journal:
        journal.begin()
        for index, chunk in enumerate(CHUNKS):
            journal.save(index, chunk)
