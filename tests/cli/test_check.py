"""``msdm check``."""

import json
import re

import pytest
from run_msdm import msdm


@pytest.fixture
def song(write_song, tmp_path, tiny):
    song = write_song(seconds=0.3)
    options = ("--model", "tiny", "--quality", "fast", "--device", "cpu", "--precision", "fp32")
    assert msdm("separate", song, "-o", tmp_path / "stems", *options).returncode == 0
    return song


def test_stems_that_sum_to_their_song(song, tmp_path):
    folder = tmp_path / "stems" / "song"
    for place in (folder, folder / "msdm.json"):
        result = msdm("check", place, song)
        assert result.returncode == 0
        assert result.stdout.splitlines()[:2] == [
            "4 files unchanged",
            "the stems sum to the song, exactly",
        ]
    assert msdm("check", folder, "--quiet").stdout == ""
    report = json.loads(msdm("check", folder, "--json").stdout)
    assert report["exact"]
    assert report["null_db"] is None
    assert report["problems"] == []


def test_stems_that_were_changed(song, tmp_path):
    path = tmp_path / "stems" / "song" / "bass.wav"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    result = msdm("check", path.parent)
    assert result.returncode == 1
    assert result.stderr == f"error: {path}: was changed after it was made\n"
    assert result.stdout.startswith("3 files unchanged\n")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (("--format", "ogg"), r"the stems sum to the song to within -\d+\.\d dB: ogg is lossy"),
        (("--subtype", "FLOAT"), r"the stems sum to the song to within -1\d\d\.\d dB \(rounding\)"),
    ],
)
def test_stems_that_sum_nearly_are_said_to_in_one_sentence(
    write_song, tmp_path, tiny, written, sentence
):
    options = ("--model", "tiny", "--quality", "fast", "--device", "cpu", *written)
    msdm("separate", write_song(seconds=0.3), "-o", tmp_path, *options)
    result = msdm("check", tmp_path / "song")
    assert result.returncode == 0
    found = [line for line in result.stdout.splitlines() if "sum" in line or "lossy" in line]
    assert len(found) == 1
    assert re.fullmatch(sentence, found[0])


def test_stems_that_are_all_named_are_summed(write_song, tmp_path, tiny):
    options = ("--model", "tiny", "--quality", "fast", "--device", "cpu")
    stems = ("--stems", "bass,drums,guitar,piano", "--mix", "drums=-6dB")
    msdm("separate", write_song(seconds=0.3), "-o", tmp_path, *options, *stems)
    assert msdm("check", tmp_path / "song").stdout.splitlines() == [
        "5 files unchanged",
        "the stems sum to the song, exactly",
    ]


def test_another_song(song, write_song, tmp_path):
    other = write_song("other.wav", seconds=0.3, seed=1)
    result = msdm("check", tmp_path / "stems" / "song", other)
    assert result.returncode == 1
    assert result.stderr == f"error: {other}: is not the song that was separated\n"


def test_results_that_are_not_there(tmp_path):
    msdm("check", tmp_path / "none").assert_two_lines("no such file", "Check the name.")
