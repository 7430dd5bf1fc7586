"""``msdm separate`` with pipes and the standard streams."""

import json
import os
import subprocess
import sys

import pytest
from conftest import WAIT_SECONDS
from run_msdm import msdm

pytestmark = pytest.mark.usefixtures("tiny")

FAST = ("--model", "tiny", "--device", "cpu", "--precision", "fp32", "--quality", "fast")


def run_program(*arguments, **options):
    """The command in a process of its own, for its standard streams."""
    program = [sys.executable, "-m", "msdm_cli", "separate", *map(str, arguments), *FAST]
    return subprocess.run(program, capture_output=True, timeout=WAIT_SECONDS, check=True, **options)


def test_a_stem_goes_from_standard_input_to_standard_output(write_song, tmp_path):
    song = write_song(seconds=0.5)
    piped = run_program("-", "-o", "-", "--stems", "drums", input=song.read_bytes())
    assert msdm("separate", song, "-o", tmp_path / "out", "--stems", "drums", *FAST).returncode == 0
    assert piped.stdout == (tmp_path / "out" / "song" / "drums.wav").read_bytes()
    assert b"seed" not in piped.stderr
    wrong = msdm("separate", song, "-o", "-", *FAST)
    wrong.assert_two_lines("-o", "one song, and one file of it", returncode=2)


def test_what_is_absent_is_said_of_the_standard_input_too(write_song, tmp_path):
    song = write_song(seconds=0.5)
    options = ("--stems", "guitar", "--absent", "piano")
    piped = run_program("-", "-o", "-", *options, input=song.read_bytes())
    assert msdm("separate", song, "-o", tmp_path / "out", *options, *FAST).returncode == 0
    assert piped.stdout == (tmp_path / "out" / "song" / "guitar.wav").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/fd")
def test_a_file_as_standard_input_is_read_where_it_is(write_song, tmp_path):
    song = write_song(seconds=0.5)
    with song.open("rb") as file:
        run_program("-", "-o", tmp_path, stdin=file)
    manifest = tmp_path / "stdin" / "msdm.json"
    assert json.loads(manifest.read_text())["request"]["inputs"] == {"song": str(song)}
    assert msdm("check", tmp_path / "stdin").stdout.endswith("sum to the song, exactly\n")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/fd")
def test_a_file_of_which_a_part_was_read_is_spooled(write_song, tmp_path):
    song = write_song(seconds=0.5)
    (tmp_path / "framed").write_bytes(b"head" + song.read_bytes())
    with (tmp_path / "framed").open("rb", buffering=0) as file:
        assert file.read(4) == b"head"
        run_program("-", "-o", tmp_path, stdin=file)
    assert msdm("check", tmp_path / "stdin", song).stdout.endswith("sum to the song, exactly\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_a_song(write_song, tmp_path):
    song = write_song(seconds=0.5)
    os.mkfifo(tmp_path / "live.wav")
    with subprocess.Popen(["cp", song, tmp_path / "live.wav"]):
        live = msdm("separate", tmp_path / "live.wav", "-o", tmp_path / "out", *FAST)
    assert live.returncode == 0, live.stderr
    checked = msdm("check", tmp_path / "out" / "live", song)
    assert checked.stdout.endswith("sum to the song, exactly\n")
