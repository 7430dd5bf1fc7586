"""Commands whose results are compared."""

from pathlib import Path

import numpy as np
import soundfile

from msdm_cli.cli.app import app
from scripts.bench.compare.cases import CASES, REASONS, write_songs


def test_every_case_is_a_command_with_its_songs(tmp_path):
    songs = write_songs(tmp_path, Path("song.flac"))
    folders = set()
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    for case in CASES:
        words = case.arguments(songs, tmp_path / case.folder)
        assert words[0] in commands
        assert words[words.index("--seed") :][:2] == ["--seed", "1"]
        folders.add(case.folder)
    assert len(folders) == len(CASES)


def test_names_of_results_keep_their_fields(tmp_path):
    songs = write_songs(tmp_path, Path("song.flac"))
    (case,) = (case for case in CASES if "--name" in case.command)
    words = case.arguments(songs, tmp_path)
    assert words[words.index("--name") + 1] == "{stem}-{track}.{ext}"


def test_songs_are_the_same_every_time(tmp_path):
    one, two = (write_songs(tmp_path / name, Path("song.flac")) for name in ("one", "two"))
    for name in one.keys() - {"song"}:
        first, second = (soundfile.read(songs[name])[0] for songs in (one, two))
        np.testing.assert_array_equal(first, second)
        assert 0.05 < np.abs(first).max() < 1
    assert soundfile.info(one["stereo"]).channels == 2
    assert soundfile.info(one["mono24"]).subtype == "PCM_24"


def test_the_papers_network_imputes_and_generates_the_same_as_ever():
    kinds = {case.kind for case in CASES}
    assert kinds - REASONS.keys() == {"impute, paper", "generate, paper"}
    assert REASONS.keys() <= kinds
