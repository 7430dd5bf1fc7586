"""kill -9 at random moments: the work goes on, and comes to the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import STEMS

from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.separate import SeparateOptions, separate_song

KILLS = 20
CHILD = """
import sys
from pathlib import Path
from conftest import make_tiny_model
from msdm_cli.tasks.separate import SeparateOptions, separate_song
from msdm_cli.progress import SilentProgress
model, song, folder = make_tiny_model(), Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
options = SeparateOptions(model.spec.preset("separate", "default"), None)
separate_song(model, song, folder, options, SilentProgress())
"""


def start(song, folder):
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, song, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert child.stdout.readline() == b"ready\n"
    return child


def test_killed_twenty_times_it_comes_to_the_same_bytes(tiny_model, write_song, tmp_path):
    song = write_song(seconds=12, rate=22050, channels=1)
    began = time.monotonic()
    options = SeparateOptions(tiny_model.spec.preset("separate", "default"), 1)
    separate_song(tiny_model, song, tmp_path / "whole", options, SilentProgress())
    whole_seconds, rng, kills, finished = time.monotonic() - began, random.Random(0), 0, 0
    while kills < KILLS:
        folder = tmp_path / f"out-{finished}"
        with start(song, folder) as child:
            child.stdin.write(b"\n")
            child.stdin.flush()
            time.sleep(rng.uniform(0, whole_seconds / 2))
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                kills += 1
            else:
                finished += 1
        # Whatever the moment: the manifest is there after all stems, and before it the journal is.
        names = {path.name for path in (folder / "song").glob("*")}
        assert (
            not names
            or ".msdm.part" in names
            or names == {*(f"{stem}.wav" for stem in STEMS), "msdm.json"}
        )
        assert "msdm.json" not in names or names >= {f"{stem}.wav" for stem in STEMS}
    for number in range(finished + 1):
        options = SeparateOptions(tiny_model.spec.preset("separate", "default"), None)
        done = separate_song(
            tiny_model, song, tmp_path / f"out-{number}", options, SilentProgress()
        )
        options = SeparateOptions(tiny_model.spec.preset("separate", "default"), done.seed)
        whole = separate_song(
            tiny_model, song, tmp_path / f"whole-{number}", options, SilentProgress()
        )
        for stem in STEMS:
            assert done.files[stem].read_bytes() == whole.files[stem].read_bytes()
        assert len(list((tmp_path / f"out-{number}" / "song").iterdir())) == 5
