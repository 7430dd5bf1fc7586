"""kill -9 at any moment: the job continues, and comes to the same bytes."""

import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import STEMS, list_files, separate

ROUNDS = 3
MOMENTS = {
    "Calls.add": 12,
    "Journal.save": 3,
    "SoundFileWriter.finish": 4,
    "SoundFileWriter.commit": 4,
    "Manifest.save": 1,
    "Journal.end": 1,
    "Journal.__exit__": 1,
}
"""Where a job is killed, and how often it comes there at least."""

FORKER = """
import os, sys
from pathlib import Path
from conftest import make_tiny_model, separate
from msdm_cli.audio.file_writer import SoundFileWriter
from msdm_cli.jobs.journal import Journal
from msdm_cli.jobs.manifest import Manifest
from msdm_cli.tasks.calls import Calls

def report(owner, name):
    method = getattr(owner, name)
    def reporting(*arguments):
        print(f"{owner.__name__}.{name}", flush=True)
        return method(*arguments)
    setattr(owner, name, reporting)

for moment in sys.argv[2:]:
    owner, name = moment.split(".")
    report(globals()[owner], name)
model = make_tiny_model()
print("ready", flush=True)
for folder in sys.stdin:
    child = os.fork()
    if not child:
        separate(model, Path(sys.argv[1]), Path(folder.strip()), quality="default", seed=None)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("over", flush=True)
"""


@pytest.fixture
def one_thread():
    """As in the forked processes: another number of threads gives other last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def start_job(write_song, one_thread):
    """Starts a job of its own process in a folder; gives its number and its reports.

    The processes are forked from one that has loaded PyTorch and the model.
    """
    song = write_song(seconds=2, rate=22050, channels=1)
    paths = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",  # a forked process has none of the threads
        "OPENBLAS_NUM_THREADS": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-c", FORKER, song, *MOMENTS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as forker:
        assert forker.stdout.readline() == "ready\n"

        def start(folder):
            forker.stdin.write(f"{folder}\n")
            forker.stdin.flush()
            return int(forker.stdout.readline()), iter(forker.stdout.readline, "over\n")

        yield song, start
        forker.stdin.close()


def check_folder(folder):
    """The manifest is there after all stems, and until then the journal is."""
    stems = {f"{stem}.wav" for stem in STEMS}
    names = {path.name for path in (folder / "song").glob("*")}
    assert not names or ".msdm.part" in names or names == stems | {"msdm.json"}
    assert "msdm.json" not in names or names >= stems


def kill_at(child, reports, moment, count):
    """Kill a job when it comes to a moment for the given time; false if it does not come there."""
    came = False
    for report in reports:
        count -= report.strip() == moment
        if count == 0 and not came:
            came = True
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(child, signal.SIGKILL)
    return came


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_killed_at_every_moment_it_comes_to_the_same_bytes(tiny_model, start_job, tmp_path):
    song, start = start_job
    rng = random.Random(0)
    finished = 0
    for moment in [*MOMENTS] * ROUNDS:
        came = False
        while not came:
            folder = tmp_path / f"out-{finished}"
            count = rng.randint(1, MOMENTS[moment])
            came = kill_at(*start(folder), moment, count)
            check_folder(folder)
            finished += (folder / "song" / "msdm.json").exists()
    for number in range(finished + 1):
        folder = tmp_path / f"out-{number}"
        resumed = separate(tiny_model, song, folder, quality="default", seed=None)
        whole = separate(
            tiny_model, song, tmp_path / f"whole-{number}", quality="default", seed=resumed.seed
        )
        for stem in STEMS:
            assert resumed.files[stem].read_bytes() == whole.files[stem].read_bytes()
        assert list_files(folder) == sorted(
            [*(f"song/{stem}.wav" for stem in STEMS), "song/msdm.json"]
        )
