"""Damaged and invented manifests."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from msdm_cli.audio.source import AudioProperties
from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.jobs.check import check_results
from msdm_cli.jobs.manifest import Facts, FileRecord, Manifest, load_manifest
from msdm_cli.jobs.request import JobRequest
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.impute import ImputeOptions
from msdm_cli.tasks.separate import SONG, SeparateOptions
from scripts.fuzz.damage import change, damage, list_changes, list_some_edits

SAMPLER = {"sampler": "consistent", "num_steps": 3, "sigma_max": 5.0}
OPTIONS: dict[str, Callable[[Preset], Any]] = {
    "separate": lambda preset: SeparateOptions(preset, 1, ("bass", "drums"), absent=("piano",)),
    "impute": lambda preset: ImputeOptions(preset, 1, ("piano",)),
    "generate": lambda preset: GenerateOptions(preset, 1, 12.0),
}


def list_inputs() -> SearchStrategy[tuple[str, Any, Any]]:
    """A task, how its manifest is changed as JSON, and how as bytes."""
    return st.tuples(st.sampled_from(tuple(OPTIONS)), list_changes(), list_some_edits())


def read(damaged: tuple[str, Any, Any], folder: Path) -> None:
    """Load a manifest, find where its job writes, and check its results.

    Raises:
        MsdmError: It is not readable.
    """
    task, changes, edits = damaged
    path = folder / "song" / "msdm.json"
    path.parent.mkdir()
    (path.parent / "bass.wav").write_bytes(b"no sound")
    text = json.dumps(change(describe(task), changes))
    path.write_bytes(damage(text.encode(), edits))
    before = sorted(folder.rglob("*"))
    manifest = load_manifest(path)
    request = manifest.parse_request()
    for place in (request.manifest, request.journal):
        assert ".." not in place.relative_to(request.folder).parts
    assert JobRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
    report = check_results(path, None)
    assert all("\n" not in line for line in report.problems + report.notes)
    assert sorted(folder.rglob("*")) == before


@functools.cache
def describe(task: str) -> dict[str, Any]:
    """The manifest of a job that nobody ran."""
    request = JobRequest(
        task=task,
        model="embedded",
        runtime=Runtime("torch", "cpu", "fp32"),
        options=OPTIONS[task](Preset.from_json(SAMPLER)),
        inputs={SONG: Path("song.flac")} if task == "separate" else {"bass": Path("bass.wav")},
        folder=Path("stems"),
        track="song",
    )
    fields = request.to_json()
    identity = {
        **fields,
        "weights_sha256": "0" * 64,
        "inputs": dict.fromkeys(fields["inputs"], "1"),
    }
    record = FileRecord("bass.wav", "0" * 64, 8)
    facts = Facts(AudioProperties(44100, 2, 1000, "PCM_16"), "PCM_16", 3)
    found: dict[str, Any] = msgspec.to_builtins(
        Manifest(fields, identity, {"bass": record, "drums": record}, facts)
    )
    return found
