"""``msdm mix``, and mixes of ``msdm separate``."""

import json

import numpy as np
import pytest
import soundfile
from conftest import list_files, read_sound
from run_msdm import msdm

from msdm_cli.jobs.stem_folder import open_stem_folder

OPTIONS = ("--model", "tiny", "--quality", "fast", "--device", "cpu", "--precision", "fp32")


@pytest.fixture
def stems(write_song, tmp_path, tiny):
    song = write_song(seconds=0.5)
    assert msdm("separate", song, "-o", tmp_path / "stems", *OPTIONS).returncode == 0
    return tmp_path / "stems" / "song"


def test_a_minus_one_lies_beside_the_stems(stems, tmp_path):
    result = msdm("mix", stems, "--without", "drums")
    path = stems / "without-drums.wav"
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{path}\n", "")
    minus = read_sound(tmp_path / "song.wav") - read_sound(stems / "drums.wav")
    np.testing.assert_array_equal(read_sound(path), minus)
    msdm("mix", stems, "--without", "drums").assert_two_lines("is there already", "--overwrite")
    assert msdm("check", stems).returncode == 0
    # It is no song either.
    again = msdm("separate", tmp_path, "-o", tmp_path / "other", *OPTIONS, "--json")
    assert [one["song"] for one in json.loads(again.stdout)] == [str(tmp_path / "song.wav")]


def test_a_loud_mix_says_how_much_softer_it_is(stems, tmp_path):
    result = msdm("mix", stems, "--gains", "drums=+40dB,bass=0", "-o", tmp_path / "loud.flac")
    assert result.returncode == 0
    assert "dB, so that it does not clip" in result.stderr
    shown = json.loads(msdm("mix", stems, "--gains", "drums=0.5", "--json").stdout)
    path = str(stems / "mix.wav")
    assert shown == {"path": path, "gain_db": 0.0, "clipped": 0, "lacks": []}


def test_a_suffix_in_capitals_is_one(stems, tmp_path):
    ended = msdm("mix", stems, "-o", tmp_path / "R.WAV")
    assert ended.returncode == 0, ended.stderr
    assert soundfile.info(tmp_path / "R.WAV").format == "WAV"


def test_wrong_usage(stems, tmp_path):
    wrong = msdm("mix", stems, "--gains", "drums=-6")
    wrong.assert_two_lines("drums=-6dB", "--help", returncode=2)
    msdm("mix", stems, "-o", "mix.xyz").assert_two_lines(".xyz", ".flac", returncode=2)
    msdm("mix", stems, "--without", "kazoo").assert_two_lines("kazoo", "bass, drums")
    msdm("mix", tmp_path / "none").assert_two_lines("no such file", "Check the name.")


def test_separate_writes_mixes_alone_or_beside_stems(write_song, tmp_path, tiny):
    song = write_song(seconds=0.5)
    both = ("--without", "drums", "--mix", "drums=-6dB,guitar=0")
    assert msdm("separate", song, "-o", tmp_path / "a", *both, *OPTIONS).returncode == 0
    assert list_files(tmp_path / "a" / "song") == ["mix.wav", "msdm.json", "without-drums.wav"]
    pair = ("--without", "drums", "--stems", "drums", "-o", tmp_path / "b")
    assert msdm("separate", song, *pair, *OPTIONS).returncode == 0
    folder = tmp_path / "b" / "song"
    total = read_sound(folder / "drums.wav") + read_sound(folder / "without-drums.wav")
    np.testing.assert_array_equal(total, read_sound(song))
    assert "sum to the song, exactly" in msdm("check", folder).stdout
    assert msdm("rerun", folder / "msdm.json", "-o", tmp_path / "again").returncode == 0
    wrong = msdm("separate", song, "--without", "kazoo", *OPTIONS)
    wrong.assert_two_lines("--without", "kazoo", returncode=2)


def test_the_standard_output_takes_a_minus_one(write_song, tiny):
    song = write_song(seconds=0.2)
    wrong = msdm("separate", song, "-o", "-", *OPTIONS)
    wrong.assert_two_lines("--without drums", returncode=2)


def test_a_mix_of_some_stems_is_not_the_song_without_others(write_song, tmp_path, tiny):
    song = write_song(seconds=0.5)
    some = ("--stems", "bass,drums", "-o", tmp_path / "some")
    assert msdm("separate", song, *some, *OPTIONS).returncode == 0
    stems = tmp_path / "some" / "song"
    refused = msdm("mix", stems, "--without", "bass")
    refused.assert_two_lines("lacks guitar, piano of the song", "with --without bass")
    msdm("mix", stems, "--gains", "bass=0").assert_two_lines("lacks guitar, piano of the song")
    msdm("mix", stems, "--without", "kazoo").assert_two_lines("no stem kazoo", "bass, drums")
    mixed = msdm("mix", stems)
    assert mixed.returncode == 0
    assert "mix.wav: lacks guitar, piano of the song, as the folder does" in mixed.stderr
    # It is the song without what was not written.
    rest = msdm("mix", stems, "--without", "guitar,piano", "--json")
    assert json.loads(rest.stdout)["lacks"] == []
    both = read_sound(stems / "bass.wav") + read_sound(stems / "drums.wav")
    np.testing.assert_array_equal(read_sound(stems / "without-guitar-piano.wav"), both)
    # A stem that the song does not have is not missed.
    told = ("--absent", "piano", "-o", tmp_path / "told")
    assert msdm("separate", song, *told, *OPTIONS).returncode == 0
    assert msdm("mix", tmp_path / "told" / "song", "--without", "bass").stderr == ""


def test_mixes_of_songs_in_one_folder_have_names_of_their_own(write_song, tmp_path, tiny):
    songs = write_song("a.wav", seconds=0.5), write_song("b.wav", seconds=0.5, seed=1)
    name = ("-o", tmp_path / "out", "--name", "{track} {stem}.{ext}")
    assert msdm("separate", *songs, *name, *OPTIONS).returncode == 0
    for song in "ab":
        mixed = msdm("mix", tmp_path / "out" / f"{song} msdm.json", "--without", "drums")
        assert mixed.stdout == f"{tmp_path / 'out' / song} without-drums.wav\n"
    # A song may be called so.
    write_song("out/b mix.wav", seconds=0.3)
    opened = open_stem_folder(tmp_path / "out" / "b msdm.json")
    assert opened.mixes == {"b without-drums": tmp_path / "out" / "b without-drums.wav"}
