"""``msdm rerun``."""

import json
import math

import pytest
from run_msdm import msdm

from msdm_cli.cli.rerun import describe_level


@pytest.fixture
def manifest(write_song, tmp_path, tiny):
    options = ("--model", "tiny", "--quality", "fast", "--device", "cpu", "--precision", "fp32")
    result = msdm("separate", write_song(seconds=0.3), "-o", tmp_path / "one", *options)
    assert result.returncode == 0, result.stderr
    return tmp_path / "one" / "song" / "msdm.json"


def test_results_are_made_again(manifest, tmp_path):
    result = msdm("rerun", manifest, "-o", tmp_path / "two")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "two" / "song"
    assert result.stdout == f"4 files in {folder}, the same to the last bit\n"
    assert (folder / "bass.wav").read_bytes() == manifest.with_name("bass.wav").read_bytes()


def test_what_differs_is_named(manifest, tmp_path):
    content = json.loads(manifest.read_text())
    content["files"]["drums"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(content))
    result = msdm("rerun", manifest, "-o", tmp_path / "two", "--quiet")
    assert result.returncode == 1
    drums = tmp_path / "two" / "song" / "drums.wav"
    assert result.stderr == (
        f"error: {drums}: is not the same to the last bit; there is nothing to compare it with\n"
        "versions, threads, processor and device are the same\n"
    )


def test_another_number_of_threads_is_named(manifest, tmp_path):
    content = json.loads(manifest.read_text())
    content["identity"]["runtime"]["threads"] = 1
    content["files"]["drums"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(content))
    result = msdm("rerun", manifest, "-o", tmp_path / "two", "--threads", "2")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "threads: 1 before, 2 now"


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (-93.06, "; the largest difference is -93.1 dB relative to full scale"),
        (-math.inf, ", but its samples are the same"),
        (None, "; there is nothing to compare it with"),
    ],
)
def test_the_largest_difference_is_said(level, words):
    assert describe_level(level) == words


def test_a_song_that_has_moved_is_given_as_an_input(manifest, tmp_path):
    (tmp_path / "song.wav").rename(tmp_path / "moved.wav")
    missing = msdm("rerun", manifest, "-o", tmp_path / "two")
    missing.assert_two_lines("no such file", "Say --input PATH if the file is elsewhere now.")
    found = msdm("rerun", manifest, "-o", tmp_path / "two", "--input", tmp_path / "moved.wav")
    assert found.returncode == 0, found.stderr


def test_a_song_that_has_changed_is_refused(manifest, write_song, tmp_path):
    write_song(seconds=0.3, seed=1)
    result = msdm("rerun", manifest, "-o", tmp_path / "two")
    result.assert_two_lines("is not what it was", "--input PATH")


def test_results_that_are_there_are_not_replaced(manifest, tmp_path):
    result = msdm("rerun", manifest, "-o", tmp_path / "one")
    result.assert_two_lines("is there already", "Choose another folder with -o.")
    assert "--overwrite" not in result.stderr
