"""``msdm separate`` that was stopped: the same command continues, and comes to the same bytes."""

import json
import subprocess
import sys

import pytest
from conftest import STEMS, WAIT_SECONDS, list_files
from run_msdm import msdm

pytestmark = pytest.mark.usefixtures("tiny")

CHILD = """
import os, signal, sys, threading
from msdm_cli.cli.app import main
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.sampling import ChunkSampler

signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
stopped = threading.Event()
draw = ChunkSampler.draw
stop = Calls.stop

def draw_third(self, condition, chunk, start, shape):
    if chunk == 2:
        os.kill(os.getpid(), signal.{signal})
        assert stopped.wait({seconds})
    return draw(self, condition, chunk, start, shape)

def stop_and_tell(self):
    stop(self)
    stopped.set()

ChunkSampler.draw = draw_third
Calls.stop = stop_and_tell
sys.argv = ["msdm", *{arguments!r}]
main()
"""


@pytest.mark.parametrize(
    ("name", "status", "quality"),
    [("SIGINT", 130, "fast"), ("SIGINT", 130, "default"), ("SIGKILL", -9, "default")],
)
def test_a_separation_that_was_stopped_continues(write_song, tmp_path, name, status, quality):
    song = write_song("long.wav", seconds=5, rate=22050, channels=1)
    options = ("--model", "tiny", "--device", "cpu", "--precision", "fp32", "--quality", quality)
    arguments = ["separate", str(song), "-o", str(tmp_path / "stems"), *options]
    code = CHILD.format(signal=name, seconds=WAIT_SECONDS, arguments=arguments)
    program = [sys.executable, "-c", code]
    stopped = subprocess.run(
        program, capture_output=True, text=True, timeout=2 * WAIT_SECONDS, check=False
    )
    assert stopped.returncode == status, stopped.stderr
    assert "Traceback" not in stopped.stderr
    if name == "SIGINT":
        assert "the same command continues from here" in stopped.stderr
        assert "seed" not in stopped.stderr
    assert not (tmp_path / "stems" / "long" / "bass.wav").exists()
    resumed = msdm(*arguments, "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert "chunks that are done: 2" in resumed.stderr
    (done,) = json.loads(resumed.stdout)
    assert (done["seed"] is None) == (quality == "fast")
    seed = () if quality == "fast" else ("--seed", done["seed"])
    whole = msdm("separate", song, "-o", tmp_path / "whole", *options, *seed)
    assert whole.returncode == 0, whole.stderr
    for stem in STEMS:
        made = tmp_path / "stems" / "long" / f"{stem}.wav"
        assert made.read_bytes() == (tmp_path / "whole" / "long" / made.name).read_bytes()
    expected = sorted([*(f"{stem}.wav" for stem in STEMS), "msdm.json"])
    assert list_files(tmp_path / "stems" / "long") == expected
    checked = msdm("check", tmp_path / "stems" / "long", song)
    assert checked.stdout.endswith("the stems sum to the song, exactly\n")
    again = msdm(*arguments)
    assert again.returncode == 0
    assert "was there" in again.stdout
