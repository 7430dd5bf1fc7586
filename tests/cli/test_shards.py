import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from run_msdm import msdm

from msdm_cli.cli.shards import MOST_SHARDS, Shard, parse_shard

SONGS = [f"album/{number}.wav" for number in range(2000)]


@pytest.mark.parametrize("count", [1, 2, 40])
def test_every_song_is_in_one_share(count):
    shards = [Shard(number, count) for number in range(1, count + 1)]
    held = [sum(shard.holds(song) for shard in shards) for song in SONGS]
    assert held == [1] * len(SONGS)


def test_shares_are_about_as_large():
    sizes = [sum(Shard(number, 40).holds(song) for song in SONGS) for number in range(1, 41)]
    # Five standard deviations of a binomial distribution with mean 50.
    assert all(15 < size < 85 for size in sizes)


def test_a_share_is_the_same_on_every_machine():
    assert [number for number in range(1, 6) if Shard(number, 5).holds("album/a.wav")] == [2]
    assert Shard(1, 1).holds("no \udcff unicode")


def test_what_is_no_share_is_refused():
    assert parse_shard(" 3/40 ") == Shard(3, 40)
    for text in ("", "3", "0/4", "5/4", "-1/4", "1/0", "1/2/3", "a/b", f"1/{MOST_SHARDS + 1}"):
        with pytest.raises(typer.BadParameter, match="is no share"):
            parse_shard(text)


RECIPES = Path(__file__).parents[2] / "scripts" / "cluster"
SCRIPT = RECIPES / "array.slurm"


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A stand-in for msdm that notes its arguments; what it has noted."""
    program = tmp_path / "bin" / "msdm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/noted\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def read():
        return sorted((tmp_path / "noted").read_text().splitlines())

    return read


def test_shares_separate_all_songs_once(tiny, write_song, tmp_path):
    songs = [write_song(f"album/{name}.wav", 0.2, channels=1) for name in "abc"]
    stems = tmp_path / "album" / "stems"  # appears in the folder of the songs
    options = ("--model", "tiny", "--quality", "fast", "--json", "-o", stems)
    made = []
    for number in (1, 2, 3):
        result = msdm("separate", tmp_path / "album", *options, "--shard", f"{number}/3")
        assert result.returncode == 0, result.stderr
        made += [entry["song"] for entry in json.loads(result.stdout)]
    assert sorted(made) == sorted(map(str, songs))


def test_a_share_may_be_empty(tiny, write_song, tmp_path):
    song = write_song(seconds=0.2)
    others = [n for n in range(1, 101) if not Shard(n, 100).holds(str(song))]
    result = msdm("separate", song, "-o", tmp_path / "out", "--shard", f"{others[0]}/100", "--json")
    assert (result.returncode, result.stdout.strip()) == (0, "[]")


def test_songs_of_two_shares_that_would_replace_each_other_are_refused(tiny, write_song, tmp_path):
    songs = [write_song(f"{folder}/x.wav", 0.1) for folder in "ab"]
    for shard in ("1/2", "2/2"):
        result = msdm("separate", *songs, "-o", tmp_path / "out", "--shard", shard)
        result.assert_two_lines("would both be written to")


def test_a_share_may_have_no_song(tiny, write_song, tmp_path):
    song = write_song(seconds=0.1)
    texts = []
    for shard in ("1/2", "2/2"):
        result = msdm("separate", song, "-o", tmp_path / "out", "--shard", shard, "--dry-run")
        assert result.returncode == 0
        texts.append(result.stderr.splitlines()[0])
    assert sorted(text.partition(": ")[2] for text in texts) == ["0 of the songs", "1 of the songs"]


def test_the_standard_output_takes_no_share(tiny, write_song):
    result = msdm(
        "separate", write_song(seconds=0.1), "-o", "-", "--stems", "bass", "--shard", "2/2"
    )
    result.assert_two_lines("the standard output takes a song, no share", returncode=2)


def test_a_wrong_share_is_wrong_usage(write_song):
    result = msdm("separate", write_song(seconds=0.1), "--shard", "41/40")
    result.assert_two_lines("41/40 is no share", "--shard", returncode=2)


@pytest.mark.skipif(sys.platform == "win32", reason="a script of a shell")
def test_the_recipe_for_slurm_runs_each_share(commands):
    for task in (1, 400):
        # What Slurm sets for a task; the largest number is that of the array, not of the shares.
        slurm = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_MAX": str(task)}
        environment = {**os.environ, **slurm, "SLURM_CPUS_PER_TASK": "4"}
        arguments = ["bash", str(SCRIPT), "@songs.txt", "-o", "stems"]
        subprocess.run(arguments, env=environment, check=True)
    assert commands() == [
        f"separate @songs.txt -o stems --shard {task}/400 --threads 4 --quiet" for task in (1, 400)
    ]


def test_the_recipe_for_slurm_has_a_task_for_each_share():
    text = SCRIPT.read_text()
    (tasks,) = re.findall(r"--array=1-(\d+)", text)
    (shares,) = re.findall(r"^shares=(\d+)", text, re.M)
    assert tasks == shares


@pytest.mark.skipif(shutil.which("parallel") is None, reason="needs GNU parallel")
def test_the_recipe_for_gnu_parallel_runs_each_share(commands, tmp_path):
    (line,) = re.findall(r"^    (seq .*\| parallel .*)$", (RECIPES / "README.md").read_text(), re.M)
    subprocess.run(["bash", "-c", line], cwd=tmp_path, check=True, capture_output=True)
    assert commands() == sorted(
        f"separate @songs.txt -o stems --threads 1 --quiet --shard {number}/40"
        for number in range(1, 41)
    )
