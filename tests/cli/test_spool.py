import io
import os
import subprocess
import sys
from collections import namedtuple

import pytest
import soundfile
from conftest import WAIT_SECONDS, music
from run_msdm import Ended

from msdm_cli.cli import spool as module
from msdm_cli.cli.spool import spool
from msdm_cli.errors import UnreadableAudio

Usage = namedtuple("Usage", "free")


class Endless:
    """A stream that begins in some way, and then gives zeros for ever."""

    def __init__(self, beginning):
        self._first = io.BytesIO(beginning)
        self.given = 0

    def read(self, count):
        content = self._first.read(count) or bytes(count)
        self.given += len(content)
        return content


def write_wav(path):
    soundfile.write(path, music(100).T, 22050)
    return path.read_bytes()


@pytest.fixture
def small(monkeypatch):
    """A few kilobytes instead of gigabytes."""
    monkeypatch.setattr(module, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(module, "PROBE_BYTES", 20_000)
    monkeypatch.setattr(module, "MOST_BYTES", 50_000)


@pytest.mark.usefixtures("small")
def test_a_stream_without_end_is_given_up(tmp_path):
    source = Endless(write_wav(tmp_path / "a.wav"))
    with pytest.raises(UnreadableAudio, match="may have no end"):
        spool(source, tmp_path / "kept", "live")
    assert source.given <= 51_000


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("beginning", "most_bytes", "said"),
    [
        (b"", 21_000, "live: is no sound"),
        (b"\x00\x00\x00\x20ftypisom", 51_000, "may have no end"),  # its index may come last
    ],
)
def test_a_stream_that_is_no_sound_is_given_up_early(tmp_path, beginning, most_bytes, said):
    source = Endless(beginning)
    with pytest.raises(UnreadableAudio, match=said):
        spool(source, tmp_path / "kept", "live")
    assert source.given <= most_bytes


@pytest.mark.usefixtures("small")
def test_a_disk_is_not_filled(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: Usage(10_000))
    source = Endless(write_wav(tmp_path / "a.wav"))
    with pytest.raises(UnreadableAudio, match="does not fit into"):
        spool(source, tmp_path / "kept", "live")
    assert source.given <= 10_000


@pytest.mark.usefixtures("small")
def test_a_song_is_kept_as_it_is(tmp_path):
    content = write_wav(tmp_path / "a.wav") + bytes(40_000)
    spool(io.BytesIO(content), tmp_path / "kept", "live")
    assert (tmp_path / "kept").read_bytes() == content


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs /dev/zero")  # noqa: PTH110
@pytest.mark.parametrize("how", ["input", "pipe"])
def test_zeros_for_ever_end_in_two_lines_and_leave_nothing(tmp_path, how):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    pipe = tmp_path / "live.wav"
    word = "-"
    stdin = open("/dev/zero", "rb")  # noqa: PTH123, SIM115
    writer = None
    if how == "pipe":
        os.mkfifo(pipe)
        word = str(pipe)
        writer = subprocess.Popen(["cp", "/dev/zero", pipe], stderr=subprocess.DEVNULL)
    program = [sys.executable, "-m", "msdm_cli", "separate", word, "-o", tmp_path / "out"]
    with stdin:
        ended = subprocess.run(
            program,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            env={**os.environ, "TMPDIR": str(temporary)},
            check=False,
        )
    if writer:
        writer.wait(WAIT_SECONDS)
    ended = Ended(ended.returncode, ended.stdout, ended.stderr)
    ended.assert_two_lines("is no sound, by its first 67 MB")
    assert not any(temporary.iterdir())
    assert not (tmp_path / "out").exists()
