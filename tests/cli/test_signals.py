"""Ctrl-C, SIGTERM and SIGHUP, once and twice, in processes of their own."""

import os
import signal
import subprocess
import sys
import tempfile
import threading

import pytest
from conftest import WAIT_SECONDS
from run_msdm import msdm

from msdm_cli.cli import signals
from msdm_cli.cli.signals import SignalWatch, listen, temporary_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")

HANG = """
import signal, sys, threading
for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # a runner of tests may ignore them
    signal.signal(getattr(signal, name), signal.default_int_handler)
from msdm_cli.cli.app import main
from msdm_cli.tasks.sampling import ChunkSampler

draw = ChunkSampler.draw
once = threading.Event()

def hang(self, condition, chunk, start, shape):
    if chunk == 1:
        print("in a call", flush=True)
        once.wait({seconds})
    return draw(self, condition, chunk, start, shape)

ChunkSampler.draw = hang
sys.argv = ["msdm", *{arguments!r}]
main()
"""

OPTIONS = ("--model", "tiny", "--device", "cpu", "--precision", "fp32", "--quality", "fast")


def start(arguments, folder, seconds=WAIT_SECONDS, content=b""):
    """A separation that hangs in its second network call, when it is there.

    ``content`` goes to its standard input.
    """
    code = HANG.format(seconds=seconds, arguments=list(map(str, arguments)))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    process.stdin.write(content)
    process.stdin.close()
    assert process.stdout.readline() == b"in a call\n", process.stderr.read()
    return process


def wait(process):
    """Its exit code, and the lines that it says after all that was read."""
    with process:
        errors = process.stderr.read().decode()
    return process.returncode, errors.splitlines()


@pytest.fixture
def folder(tmp_path):
    """Where temporary files of a process go."""
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_the_first_signal_is_answered_at_once_and_the_second_ends_it(
    tiny, write_song, tmp_path, folder, name, status
):
    song = write_song("long.wav", seconds=5, rate=22050, channels=1)
    arguments = ("separate", "-", "-o", tmp_path / "stems", *OPTIONS)
    process = start(arguments, folder, content=song.read_bytes())
    assert list(folder.glob("msdm-*/stdin"))
    process.send_signal(getattr(signal, name))
    said = process.stderr.readline()  # the call still hangs
    assert said == b"stopping after this network call; a second Ctrl-C ends at once\n"
    signals.time.sleep(2 * signals.SAME_SECONDS)  # two signals that are closer are one
    process.send_signal(getattr(signal, name))
    assert wait(process) == (status, [])
    assert list(folder.iterdir()) == []
    resumed = subprocess.run(
        [sys.executable, "-m", "msdm_cli", *map(str, arguments)],
        input=song.read_bytes(),
        capture_output=True,
        timeout=WAIT_SECONDS,
        check=True,
    )
    assert b"continues; chunks that are done: 1" in resumed.stderr


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_one_signal_ends_after_the_call(tiny, write_song, tmp_path, folder, name, status):
    song = write_song("long.wav", seconds=5, rate=22050, channels=1)
    arguments = ("separate", song, "-o", tmp_path / "stems", *OPTIONS)
    process = start(arguments, folder, seconds=1)
    process.send_signal(getattr(signal, name))
    code, errors = wait(process)
    assert code == status, errors
    assert errors == [
        "stopping after this network call; a second Ctrl-C ends at once",
        "stopped; the same command continues from here",
    ]
    assert list(folder.iterdir()) == []
    assert "continues" in msdm(*arguments).stderr


def test_two_signals_at_once_are_one(tiny, write_song, tmp_path, folder):
    song = write_song("long.wav", seconds=5, rate=22050, channels=1)
    process = start(("separate", song, "-o", tmp_path / "s", *OPTIONS), folder, seconds=1)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    code, errors = wait(process)
    assert code in (130, 143)
    assert errors[-1] == "stopped; the same command continues from here"


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with SignalWatch():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with SignalWatch() as watch:
        assert signal.getsignal(signal.SIGTERM) == watch._interrupt
    assert signal.getsignal(signal.SIGTERM) == before
    assert watch.exit_code is None
    assert signal.set_wakeup_fd(-1) == -1


def test_listeners_hear_of_the_first_signal():
    heard = threading.Event()
    watch = SignalWatch()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt), listen(heard.set), watch:
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard.wait(WAIT_SECONDS)
    finally:
        watch.exit_code = None
        watch.__exit__(None, None, None)
    assert heard.is_set()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_temporary_folder_is_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_folder() as folder:
        (folder / "song").touch()
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []
    with temporary_folder() as folder:
        signals.remove_temporary_folders()
        assert not folder.exists()
