"""Standard streams that are closed, full, or lack characters."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import WAIT_SECONDS
from run_msdm import msdm

from msdm_cli.cli.streams import ForgivingStream, describe_lost_output

FAST = ("--model", "tiny", "--device", "cpu", "--precision", "fp32", "--quality", "fast")
FULL = "/dev/full"
needs_full = pytest.mark.skipif(not Path(FULL).exists(), reason=f"needs {FULL}")
needs_shell = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")


class Broken(io.StringIO):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def write(self, text):
        raise OSError(self.number, "what")


def run_shell(redirection, *arguments, **environment):
    """A command in a shell, which closes or redirects its streams."""
    program = [sys.executable, "-m", "msdm_cli", *map(str, arguments)]
    line = f'"$@" {redirection}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, "msdm", *program],
        capture_output=True,
        timeout=WAIT_SECONDS,
        env={**os.environ, **environment},
        check=False,
    )


def test_a_stream_that_breaks_keeps_its_first_error():
    stream = ForgivingStream(Broken(errno.ENOSPC))
    assert stream.write("text") == 4
    assert stream.write("more") == 4
    stream.flush()
    assert stream.error.errno == errno.ENOSPC


def test_what_an_encoding_lacks_is_escaped():
    below = io.TextIOWrapper(io.BytesIO(), "cp1252", write_through=True)
    stream = ForgivingStream(below)
    stream.write("ü, 歌 and \udce9")
    assert below.buffer.getvalue().decode("cp1252") == "ü, \\u6b4c and \\udce9"
    assert stream.encoding == "cp1252"


def test_the_hint_of_lost_output_names_no_folder():
    error = describe_lost_output(OSError(errno.ENOSPC, "No space left on device"))
    assert error.message == "the standard output cannot be written (No space left on device)"
    assert error.remedy == "Make room on the disk, or write to another place."


@needs_full
@pytest.mark.parametrize(
    "arguments", [("--help",), ("weights", "list"), ("weights", "list", "--json")]
)
def test_a_full_disk_below_the_output_is_two_lines(arguments):
    ended = run_shell(f"> {FULL}", *arguments)
    assert ended.returncode == 1
    what, hint = ended.stderr.decode().splitlines()
    assert what.startswith("error: the standard output cannot be written (")
    assert hint == "  Make room on the disk, or write to another place."


@needs_shell
@pytest.mark.parametrize("redirection", ["| head -1", ">&-", ">&- 2>&-", "| true"])
@pytest.mark.parametrize(
    "arguments", [("--help",), ("weights", "list"), ("weights", "list", "--json")]
)
def test_a_reader_that_goes_is_no_error(redirection, arguments):
    ended = run_shell(redirection, *arguments)
    assert (ended.returncode, ended.stderr) == (0, b"")


@needs_shell
def test_a_song_is_separated_although_the_output_is_closed(tiny, write_song, tmp_path):
    song = write_song(seconds=0.3)
    ended = run_shell(">&-", "separate", song, "-o", tmp_path / "out", *FAST)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (tmp_path / "out" / "song" / "drums.wav").stat().st_size > 44


@needs_shell
def test_an_error_is_counted_although_nobody_hears_of_it(tmp_path):
    ended = run_shell(">&- 2>&- <&-", "separate", tmp_path / "none.wav", "-o", tmp_path)
    assert ended.returncode == 1


@pytest.mark.parametrize(
    "option", [("--csv", "out.csv"), ("--project", "reaper"), ("--cluster", "local")]
)
def test_options_of_files_are_refused_beside_the_standard_output(tiny, write_song, option):
    song = write_song(seconds=0.2)
    wrong = msdm("separate", song, "-o", "-", "--stems", "drums", *option, *FAST)
    wrong.assert_two_lines(option[0], "the standard output takes a song, no", returncode=2)


@needs_shell
@pytest.mark.parametrize("output", [(), ("-o", "-", "--stems", "drums")])
def test_a_closed_input_is_two_lines(tiny, tmp_path, output):
    ended = run_shell("<&-", "separate", "-", *output, *FAST)
    assert ended.returncode == 1
    assert ended.stderr.decode().splitlines() == [
        "error: the standard input is closed",
        "  Give a file, or send a song through a pipe.",
    ]


@needs_shell
@pytest.mark.parametrize("redirection", [">&-", pytest.param(f"> {FULL}", marks=needs_full)])
def test_a_stem_that_nobody_gets_is_an_error(tiny, write_song, redirection):
    song = write_song(seconds=0.3)
    ended = run_shell(redirection, "separate", song, "-o", "-", "--stems", "drums", *FAST)
    assert ended.returncode == 1
    lines = ended.stderr.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: the standard output cannot be written (")


@needs_shell
def test_a_name_that_the_encoding_of_the_output_lacks(tiny, write_song, tmp_path):
    song = write_song("歌.wav", seconds=0.3)
    arguments = ("separate", song, "-o", tmp_path / "out", *FAST)
    ended = run_shell("", *arguments, PYTHONIOENCODING="cp1252")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"\\u6b4c.wav" in ended.stdout
    assert "━".encode("ascii", "backslashreplace") not in ended.stdout
