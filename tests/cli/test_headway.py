from pathlib import Path

from msdm_cli.audio.source import AudioProperties
from msdm_cli.cli.headway import Headway
from msdm_cli.errors import ResultsExist
from msdm_cli.jobs.executors import Ended
from msdm_cli.jobs.result import JobResult


def make_ended(seconds, workers, skipped=False):
    properties = AudioProperties(100, 1, 100 * seconds, "PCM_16")
    result = JobResult({}, Path("msdm.json"), properties, None, 1, skipped=skipped)
    return Ended("a", result, 1.0, "machine", workers)


def test_music_and_speed_are_of_all_workers():
    now = [100.0]
    headway = Headway(4, "song", lambda: now[0])
    now[0] = 110.0
    headway.add(make_ended(1800, 2))
    assert headway.describe() == "0.5 h of music, 180.0x, 2 workers"
    headway.add(make_ended(1800, 1, skipped=True))
    assert headway.describe() == "1.0 h of music, 180.0x, 1 worker"
    headway.add(Ended("b", ResultsExist("what", "remedy"), 1.0))
    assert headway.to_json() == {
        "done": 3,
        "total": 4,
        "unit": "songs",
        "music_seconds": 3600.0,
        "speed": 180.0,
        "workers": 1,
    }
