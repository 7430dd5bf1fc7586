"""Fuzzing finds nothing in a few inputs of each kind, and finds what is wrong on purpose."""

import mmap
import os
import random
import time

import pytest
from hypothesis import settings

from scripts.fuzz import bounds, damage
from scripts.fuzz.__main__ import fuzz
from scripts.fuzz.bounds import TooCostly, bounded
from scripts.fuzz.targets import TARGETS, Target

EXAMPLES = 15


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found_in_a_few_inputs(name):
    fixed = settings.get_current_profile_name() == "ci"
    fuzz(name, 0 if fixed else random.randrange(1 << 32), EXAMPLES)


def test_another_error_is_a_finding(monkeypatch):
    def read(damaged, folder):
        raise KeyError(damaged)

    target = Target(TARGETS["manifests"].inputs, read)
    monkeypatch.setitem(TARGETS, "manifests", target)
    with pytest.raises(KeyError):
        fuzz("manifests", 0, 2)


def test_what_takes_long_or_much_is_a_finding(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_SECONDS", 0.0)
    with pytest.raises(TooCostly, match=r" s$"), bounded():
        time.process_time()
    monkeypatch.undo()
    if bounds.PAGES.exists():
        monkeypatch.setattr(bounds, "MOST_GROWTH_BYTES", 10_000_000)
        # Memory of its own: the heap may have room that was used before.
        with (
            pytest.raises(TooCostly, match="MB"),
            bounded(),
            mmap.mmap(-1, 50_000_000) as area,
        ):
            area.write(bytes(50_000_000))


def test_what_is_written_to_the_standard_error_is_a_finding():
    with pytest.raises(AssertionError, match="a library warns"), bounded():
        os.write(2, b"a library warns")


def test_edits_of_bytes():
    content = bytes(range(200))
    assert damage.damage(content, []) == content
    assert damage.damage(content, [(0.0, "flip", b"ab")]) == b"ab" + content[2:]
    assert damage.damage(content, [(0.0, "drop", b"ab")]) == content[2:]
    assert damage.damage(content, [(0.0, "insert", b"ab")]) == b"ab" + content
    assert damage.damage(content, [(0.5, "cut", b"a")]) == content[:100]
    assert damage.damage(content, [(0.5, "repeat", b"\2")]) == content[:100] + 3 * content[100:]


def test_changes_of_json():
    document = {"a": [1, 2], "b": {"c": 3}}
    assert damage.change(document, []) == document
    assert damage.change(document, [(0, "replace", 5)]) == 5
    assert damage.change(document, [(1, "replace", 5)]) == {"a": 5, "b": {"c": 3}}
    assert damage.change(document, [(2, "remove", None)]) == {"a": [2], "b": {"c": 3}}
    assert damage.change(document, [(5, "add", 7)]) == {"a": [1, 2], "b": {"c": 3, "7": 7}}
    assert damage.change(document, [(2, "nest", 0)]) == {"a": [[[1]], 2], "b": {"c": 3}}
    assert document == {"a": [1, 2], "b": {"c": 3}}
