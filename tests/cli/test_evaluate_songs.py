import json

import pytest
import soundfile
from conftest import STEMS, music, run_by_post
from run_msdm import msdm

from msdm_cli.jobs import executors


@pytest.fixture
def by_post(monkeypatch):
    """A stand-in for a cluster, to which jobs go as letters; the names of those."""
    sent = []

    def run(requests, work, workers, stop, cluster):
        sent.extend(requests)
        return run_by_post(requests, work, workers, stop)

    monkeypatch.setattr(executors, "run_on_cluster", run)
    return sent


def write_stems(folder, stems=STEMS):
    folder.mkdir(parents=True)
    for index, stem in enumerate(stems):
        samples = 0.2 * music(4 * 22050, 1, 22050, seed=index)
        soundfile.write(folder / f"{stem}.wav", samples.T, 22050, "FLOAT")


def evaluate(references, estimates, *options):
    model = ("--separate", "tiny", "--quality", "fast", "--json")
    device = ("--device", "cpu", "--precision", "fp32")
    return msdm("evaluate", references, estimates, *model, *device, *options)


def test_songs_are_separated_elsewhere_and_scored_here(tiny, by_post, tmp_path):
    for name in "ab":
        write_stems(tmp_path / "true" / name)
    write_stems(tmp_path / "there" / "b")  # somebody else's, which are scored as they are
    write_stems(tmp_path / "here" / "b")
    there = evaluate(tmp_path / "true", tmp_path / "there", "--cluster", "head:6379")
    assert there.returncode == 0, there.stderr
    assert by_post == ["a"]
    here = evaluate(tmp_path / "true", tmp_path / "here")
    assert json.loads(there.stdout) == json.loads(here.stdout) != []
    one, other = (tmp_path / name / "a" / "bass.wav" for name in ("there", "here"))
    assert one.read_bytes() == other.read_bytes()
    again = evaluate(tmp_path / "true", tmp_path / "there", "--cluster", "head:6379")
    assert json.loads(again.stdout) == json.loads(here.stdout)


def test_a_song_that_fails_elsewhere_does_not_end_the_others(tiny, by_post, tmp_path):
    for name in "abc":
        write_stems(tmp_path / "true" / name)
    (tmp_path / "true" / "b" / "bass.wav").write_text("text")
    write_stems(tmp_path / "there" / "c", STEMS[:2])  # some of the stems, by somebody else
    result = evaluate(tmp_path / "true", tmp_path / "there", "--cluster", "head:6379")
    assert result.returncode == 1
    assert by_post == ["a", "b"]
    events = [json.loads(line) for line in result.stderr.splitlines()]
    failed = {event["name"]: event["hint"] for event in events if event["event"] == "error"}
    assert sorted(failed) == ["b", "c"]
    assert "leave out --separate" in failed["c"]
    assert {entry["songs"] for entry in json.loads(result.stdout)} == {1}


def test_a_cluster_separates(tiny, tmp_path):
    write_stems(tmp_path / "true" / "a")
    result = msdm("evaluate", tmp_path / "true", tmp_path / "there", "--cluster", "auto")
    result.assert_two_lines("needs --separate", "--cluster", returncode=2)
