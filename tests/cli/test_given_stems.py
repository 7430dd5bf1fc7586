"""Given stems and targets, as a person names them."""

import os
from pathlib import Path

import pytest
import typer
from conftest import FIVE_STEMS, STEMS, make_tiny_model, separate

from msdm_cli.cli.given_stems import choose_folder, choose_targets, name_stems
from msdm_cli.errors import MissingStems, UnreadableManifest
from msdm_cli.jobs.output import OutputOptions


def test_stems_are_named_by_an_option_or_by_their_file():
    given = ["vocals=a=b.wav", "My Drums.wav", "lead=guitar.wav"]
    with pytest.raises(typer.BadParameter, match="lead is none of"):
        name_stems(given, FIVE_STEMS)
    assert name_stems(given[:2], FIVE_STEMS) == {
        "vocals": Path("a=b.wav"),
        "drums": Path("My Drums.wav"),
    }


def test_a_stem_is_a_word_of_the_name():
    assert name_stems(["My_Guitars (2).wav"], STEMS) == {"guitar": Path("My_Guitars (2).wav")}
    with pytest.raises(typer.BadParameter, match="which stem is bassdrum"):
        name_stems(["bassdrum.wav"], STEMS)


def test_a_stem_does_not_come_through_a_pipe(tmp_path):
    pipes = ["-"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        pipes.append(str(tmp_path / "pipe"))
    for value in [*pipes, *(f"drums={pipe}" for pipe in pipes)]:
        with pytest.raises(typer.BadParameter, match="write it to a file first"):
            name_stems([value], STEMS)


def test_an_equals_sign_in_the_name_of_a_file_is_no_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lead=guitar.wav").touch()
    assert name_stems(["lead=guitar.wav"], STEMS) == {"guitar": Path("lead=guitar.wav")}


def test_a_folder_gives_its_stems_but_for_targets(tmp_path):
    for name in ("Drums", "bass", "mixture", "piano", "hum"):
        (tmp_path / f"{name}.wav").touch()
    named = name_stems([str(tmp_path)], STEMS)
    assert named == {
        "bass": tmp_path / "bass.wav",
        "drums": tmp_path / "Drums.wav",
        "piano": tmp_path / "piano.wav",
    }
    assert list(name_stems([str(tmp_path)], STEMS, ["piano"])) == ["bass", "drums"]
    with pytest.raises(typer.BadParameter, match="bass is given twice"):
        name_stems([str(tmp_path), "bass.wav"], STEMS)


def test_of_a_folder_of_several_songs_one_is_named(tiny_model, write_song, tmp_path):
    output = OutputOptions(name="{track}-{stem}.{ext}")
    for name in ("one.wav", "two.wav"):
        made = separate(tiny_model, write_song(name, 0.2), tmp_path / "flat", output=output)
    with pytest.raises(UnreadableManifest, match=r"one-msdm\.json, two-msdm\.json") as found:
        name_stems([str(tmp_path / "flat")], STEMS)
    assert found.value.remedy == "Name one of these files."
    named = name_stems([str(made.manifest)], STEMS, ["piano"])
    assert named == {stem: made.files[stem] for stem in STEMS if stem != "piano"}


@pytest.mark.parametrize(
    ("found", "others"),
    [
        ({"bass": "song-Bass", "drums": "song-drums"}, ["song-mixture", "song-without-drums"]),
        ({"bass": "bass song bass", "drums": "bass song drums"}, []),
        ({"drums": "drums of a song"}, []),
        ({"drums": "drums"}, ["drums room", "song-bass"]),
    ],
)
def test_files_of_a_folder_may_have_more_than_a_stem_in_their_names(tmp_path, found, others):
    for name in [*found.values(), *others]:
        (tmp_path / f"{name}.wav").touch()
    expected = {stem: tmp_path / f"{name}.wav" for stem, name in found.items()}
    assert name_stems([str(tmp_path)], STEMS) == expected


@pytest.mark.parametrize(
    "names",
    [
        ["a-drums", "b-drums"],
        ["drums 1", "drums 2"],
        ["a-drums", "a-bass", "bass solo"],
        ["bass and drums"],
    ],
)
def test_files_that_may_be_of_several_songs_are_refused(tmp_path, names):
    for name in names:
        (tmp_path / f"{name}.wav").touch()
    with pytest.raises(MissingStems, match=f"which files are .* holds {min(names)}.wav"):
        name_stems([str(tmp_path)], STEMS)


def test_a_folder_without_stems_is_refused(tmp_path):
    for name in ("hum", "bassoon", "without-drums", "song-without-drums"):
        (tmp_path / f"{name}.wav").touch()
    with pytest.raises(MissingStems, match="holds no bass, drums, guitar, piano") as found:
        name_stems([str(tmp_path)], STEMS)
    assert found.value.remedy == "Name a folder with these stems: bass.wav, or song-bass.wav."


def test_a_given_stem_is_a_target_in_part_alone():
    spec = make_tiny_model().spec
    given = dict.fromkeys(STEMS, Path("x.wav"))
    assert choose_targets(["piano"], given, spec, in_part=True) == ("piano",)
    with pytest.raises(typer.BadParameter, match="say which part with --from and --to"):
        choose_targets(["piano"], given, spec)
    with pytest.raises(typer.BadParameter, match="all stems are given"):
        choose_targets([], given, spec, in_part=True)


def test_results_lie_beside_what_is_drawn_anew():
    given = {"bass": Path("a/bass.wav"), "piano": Path("b/piano.wav")}
    assert choose_folder(given, ["piano"]) == Path("b/piano")
    assert choose_folder(given, ["guitar"]) == Path("a/bass")
