"""Projects for REAPER."""

import json
import re

import pytest
from conftest import generate, impute, separate

from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.reaper import IS_SET, find_reaper_project, quote, write_reaper_project
from msdm_cli.jobs.stem_folder import COLOURS
from msdm_cli.tasks.controls import Controls


def parse(text):
    """Blocks as lists: the words of the first line, then lines and blocks in it."""
    stack = [[]]
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("<"):
            block = [words[1:]]
            stack[-1].append(block)
            stack.append(block)
        elif words == ">":
            stack.pop()
        else:
            stack[-1].append(words)
    assert len(stack) == 1
    return stack[0][0]


def list_tracks(project):
    return [block for block in project if isinstance(block, list) and "TRACK" in block[0]]


def find(block, word):
    return next(
        line.removeprefix(f"{word} ")
        for line in block
        if isinstance(line, str) and line.startswith(f"{word} ")
    )


def test_stems_are_tracks_in_time(tiny_model, write_song, tmp_path):
    made = separate(tiny_model, write_song("a song.wav", seconds=0.5), tmp_path / "stems")
    path = write_reaper_project(made.manifest)
    assert path == made.manifest.with_name("a song.rpp")
    project = parse(path.read_text("utf-8"))
    assert project[0].startswith("REAPER_PROJECT")
    assert find(project, "SAMPLERATE") == "44100 0 0"
    tracks = list_tracks(project)
    assert [find(track, "NAME") for track in tracks] == [f'"{name}"' for name in made.files]
    drums = tracks[1]
    red, green, blue = COLOURS["drums"]
    assert int(find(drums, "PEAKCOL")) == IS_SET + (blue << 16) + (green << 8) + red
    (item,) = (block for block in drums if isinstance(block, list))
    assert (find(item, "POSITION"), float(find(item, "LENGTH"))) == ("0", 0.5)
    (source,) = (block for block in item if isinstance(block, list))
    assert source == ["SOURCE WAVE", 'FILE "drums.wav"']
    before = path.read_bytes()
    path.unlink()
    assert write_reaper_project(made.manifest).read_bytes() == before


def test_a_project_that_is_there_stays(tiny_model, tmp_path):
    made = generate(tiny_model, tmp_path, 0.4)
    path = write_reaper_project(made.manifest)
    assert find_reaper_project(made.manifest) == path
    path.write_text("somebody's work")
    assert write_reaper_project(made.manifest) == path
    assert path.read_text() == "somebody's work"


def test_a_mixture_is_muted_and_files_may_be_of_any_format(tiny_model, write_song, tmp_path):
    drums = write_song("drums.flac", seconds=0.4, channels=1)
    output = OutputOptions("ogg", name="x-{stem}.{ext}")
    made = impute(tiny_model, {"drums": drums}, tmp_path / "out", output=output)
    path = write_reaper_project(made.manifest)
    assert path.name == "x-project.rpp"
    text = path.read_text("utf-8")
    assert re.findall(r"<SOURCE (\w+)", text) == ["FLAC", "VORBIS", "VORBIS"]
    tracks = {find(track, "NAME"): track for track in list_tracks(parse(text))}
    muted = {name: find(track, "MUTESOLO") for name, track in tracks.items()}
    assert muted == {'"drums"': "0 0 0", '"piano"': "0 0 0", '"mixture"': "1 0 0"}


def test_the_rest_of_a_song_is_heard_beside_its_stems(tiny_model, write_song, tmp_path):
    mixes = {"without-drums": {"drums": 0.0}}
    song = write_song(seconds=0.3)
    made = separate(tiny_model, song, tmp_path, stems=("drums",), mixes=mixes)
    text = write_reaper_project(made.manifest).read_text("utf-8")
    assert text.count("MUTESOLO 0 0 0") == 2


def test_the_tempo_is_the_one_that_was_asked_for(tiny_model, tmp_path):
    made = generate(tiny_model, tmp_path, 0.4, controls=Controls(tempo=96.5, meter="6/8"))
    project = parse(write_reaper_project(made.manifest).read_text("utf-8"))
    assert find(project, "TEMPO") == "96.5 6 8"


def test_the_tempo_is_the_one_that_was_heard(tiny_model, tmp_path):
    made = generate(tiny_model, tmp_path, 0.4)
    assert "TEMPO" not in write_reaper_project(made.manifest).read_text("utf-8")
    described = json.loads(made.manifest.read_text())
    described["facts"]["heard"]["tempo"] = 101.25
    made.manifest.write_text(json.dumps(described))
    made.manifest.with_name("seed-1.rpp").unlink()
    project = parse(write_reaper_project(made.manifest).read_text("utf-8"))
    assert find(project, "TEMPO") == "101.25 4 4"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('a "b"', "'a \"b\"'"),
        ("a \"b\" 'c'", "`a \"b\" 'c'`"),
        ("\"'`", "`\"''`"),
        ("two\nlines", '"two lines"'),
    ],
)
def test_names_are_quoted_by_a_mark_that_they_do_not_have(text, expected):
    assert quote(text) == expected
