import os
import sys

import pytest
from conftest import generate, impute, separate

from msdm_cli.errors import MissingStems
from msdm_cli.jobs.stem_folder import COLOURS, open_stem_folder
from msdm_cli.page.build import (
    MIXED,
    build_gallery,
    build_page,
    choose_colours,
    list_pitches,
    make_address,
)
from msdm_cli.tasks.controls import Controls


def build(folder):
    return build_page(open_stem_folder(folder), folder / "index.html")


def test_the_page_of_stems(tiny_model, write_song, tmp_path):
    result = separate(tiny_model, write_song(seconds=0.4), tmp_path / "stems")
    page = build(result.manifest.parent)
    assert page.title == "song"
    assert page.summary == "4 stems, separated · 0:00.4 · 44.1 kHz, stereo, PCM_16"
    assert page.seconds == pytest.approx(0.4)
    assert [track.name for track in page.tracks] == list(tiny_model.spec.stems)
    assert [track.source for track in page.tracks][:2] == ["./bass.wav", "./drums.wav"]
    assert page.tracks[1].colour == COLOURS["drums"]
    assert not any(track.muted for track in page.tracks)
    assert page.facts
    assert page.commands


def test_a_mixture_is_silent_beside_its_stems(tiny_model, write_song, tmp_path):
    drums = write_song("drums.wav", seconds=0.4)
    result = impute(tiny_model, {"drums": drums}, tmp_path / "out")
    page = build(result.manifest.parent)
    muted = {track.name: track.muted for track in page.tracks}
    assert muted == {"piano": False, "drums": False, "mixture": True}
    assert page.tracks[-1].colour == MIXED


def test_any_folder_has_a_page_and_what_cannot_be_read_is_left_out(write_song, tmp_path, caplog):
    write_song("take/kazoo.wav", seconds=0.2, rate=8000)
    write_song("take/longer.wav", seconds=0.4)
    (tmp_path / "take" / "broken.wav").write_text("no sound")
    page = build(tmp_path / "take")
    assert [track.name for track in page.tracks] == ["kazoo", "longer"]
    assert page.seconds == pytest.approx(0.4)
    assert page.facts == page.commands == ()
    assert "broken.wav" in caplog.text
    for name in ("kazoo", "longer"):
        (tmp_path / "take" / f"{name}.wav").unlink()
    with pytest.raises(MissingStems, match="no file can be read"):
        build(tmp_path / "take")


def test_a_gallery_has_the_mix_of_each_take(tiny_model, tmp_path):
    takes = {}
    for seed in (1, 2):
        controls = Controls(tempo=100 + seed)
        result = generate(tiny_model, tmp_path, 0.4, seed=seed, controls=controls)
        folder = result.manifest.parent
        takes[folder / "index.html"] = open_stem_folder(folder)
    page = build_gallery("my takes", takes, tmp_path / "index.html")
    assert page.exclusive
    assert (page.title, page.summary[:7]) == ("my takes", "2 takes")
    assert [track.source for track in page.tracks] == [f"./seed-{n}/mixture.wav" for n in (1, 2)]
    assert [track.link for track in page.tracks] == [f"./seed-{n}/index.html" for n in (1, 2)]
    assert [track.note for track in page.tracks] == ["101 bpm", "102 bpm"]
    commands = [track.command for track in page.tracks]
    assert [command.split()[:4] for command in commands] == [
        ["msdm", "generate", "--extend", f"seed-{n}"] for n in (1, 2)
    ]
    with pytest.raises(MissingStems, match="no take"):
        build_gallery("none", {}, tmp_path / "index.html")


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode elsewhere")
def test_a_take_whose_name_is_no_unicode_has_no_command(tiny_model, tmp_path):
    made = generate(tiny_model, tmp_path / os.fsdecode(b"\xff"), 0.2, seed=1)
    folder = made.manifest.parent
    page = build_gallery(
        "takes", {folder / "a.html": open_stem_folder(folder)}, tmp_path / "a.html"
    )
    (track,) = page.tracks
    assert track.command == ""
    assert track.link == "./%FF/seed-1/a.html"


def test_addresses_are_what_a_browser_takes(tmp_path):
    name = "a b\"'<#?%:\n.wav"
    assert make_address(tmp_path / name, tmp_path) == "./a%20b%22%27%3C%23%3F%25%3A%0A.wav"
    assert make_address(tmp_path / "x" / "y.wav", tmp_path / "z") == "./../x/y.wav"
    if sys.platform == "linux":
        assert make_address(tmp_path / os.fsdecode(b"\xff.wav"), tmp_path) == "./%FF.wav"


def test_colours_of_unknown_stems_differ():
    colours = choose_colours(["kazoo", "drums", "lute"])
    assert colours["kazoo"] != colours["lute"]
    assert colours["drums"] == COLOURS["drums"]


def test_pitches_lie_within_the_picture():
    marks = list_pitches(11025)
    assert [text for _, text in marks] == ["100 Hz", "1 kHz"]
    assert all(0 < share < 1 for share, _ in marks)
    assert len(list_pitches(20_000)) == 3
