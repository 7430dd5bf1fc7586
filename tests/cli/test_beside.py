"""Pages beside results."""

import json

import pytest
from run_msdm import msdm

from msdm_cli.errors import UnwritableResults

OPTIONS = ("--model", "tiny", "--device", "cpu", "--precision", "fp32")

pytestmark = pytest.mark.usefixtures("tiny", "pages")


def separate(song, folder, *more):
    return msdm("separate", song, "-o", folder, "--quality", "fast", *OPTIONS, *more)


def test_a_page_lies_beside_the_stems_and_is_made_once(write_song, tmp_path):
    song = write_song(seconds=0.4)
    result = separate(song, tmp_path / "stems")
    assert result.returncode == 0, result.stderr
    assert "index.html" in result.stdout
    page = tmp_path / "stems" / "song" / "index.html"
    assert page.read_text("utf-8").count('class="track"') == 4
    before = page.stat().st_mtime_ns
    (done,) = json.loads(separate(song, tmp_path / "stems", "--json").stdout)
    assert done["skipped"]
    assert done["beside"] == [str(page)]
    assert page.stat().st_mtime_ns == before
    # Nor is it a song, or in the way of its own results.
    again = separate(tmp_path, tmp_path / "stems", "--overwrite", "--without", "drums", "--json")
    assert [one["song"] for one in json.loads(again.stdout)] == [str(song)]
    assert "without-drums" in page.read_text("utf-8")


def test_a_page_that_is_missing_is_made_when_the_command_is_repeated(write_song, tmp_path):
    """As it is after a kill between the stems and the page, or after --no-page."""
    song = write_song(seconds=0.3)
    page = tmp_path / "stems" / "song" / "index.html"
    assert separate(song, tmp_path / "stems", "--no-page").returncode == 0
    assert not page.exists()
    (done,) = json.loads(separate(song, tmp_path / "stems", "--json").stdout)
    assert done["skipped"]
    assert done["beside"] == [str(page)]
    assert page.read_text("utf-8").count('class="track"') == 4


def test_pages_of_takes_that_are_missing_are_made_when_the_command_is_repeated(tmp_path):
    folder = tmp_path / "takes"
    takes = ("--seconds", "0.4", "--variations", "2", "--seed", "1", "-o", folder)
    assert msdm("generate", *takes, *OPTIONS, "--no-page").returncode == 0
    assert not list(folder.rglob("*.html"))
    for _ in range(2):
        assert msdm("generate", *takes, *OPTIONS).returncode == 0
        pages = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
        assert pages == ["index.html", "seed-1/index.html", "seed-2/index.html"]
        (folder / "index.html").unlink()


@pytest.mark.parametrize(
    ("name", "pages", "projects"),
    [
        ("{stem}/{track}.{ext}", "msdm/{}.html", "msdm/{}.rpp"),
        ("{stem} of {track}.{ext}", "msdm of {}.html", "msdm of {}.rpp"),
        ("{track}-{stem}.{ext}", "{}-index.html", "{}-project.rpp"),
    ],
)
def test_each_song_has_a_page_and_a_project(write_song, tmp_path, name, pages, projects):
    for song in "ab":
        write_song(f"songs/{song}.wav", seconds=0.2)
    options = ("--name", name, "--project", "reaper", "--json")
    made = json.loads(separate(tmp_path / "songs", tmp_path / "stems", *options).stdout)
    assert [one["beside"] for one in made] == [
        [str(tmp_path / "stems" / place.format(song)) for place in (pages, projects)]
        for song in "ab"
    ]


def test_no_page(write_song, tmp_path):
    (done,) = json.loads(separate(write_song(seconds=0.3), tmp_path, "--no-page", "--json").stdout)
    assert done["beside"] == []
    assert not (tmp_path / "song" / "index.html").exists()


def test_a_page_of_what_was_replaced_does_not_stay(write_song, tmp_path):
    song = write_song(seconds=0.3)
    page = tmp_path / "stems" / "song" / "index.html"
    for options, there in (
        ((), True),
        (("--no-page",), True),  # nothing is made
        (("--no-page", "--overwrite", "--start", "0.1"), False),
    ):
        assert separate(song, tmp_path / "stems", *options).returncode == 0
        assert page.exists() == there
    page.write_text("mine")
    assert separate(song, tmp_path / "stems", "--no-page", "--overwrite").returncode == 0
    assert page.read_text() == "mine"


def test_a_file_in_the_way_is_kept_and_the_stems_are_made(write_song, tmp_path):
    folder = tmp_path / "stems" / "song"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("mine")
    result = separate(write_song(seconds=0.3), tmp_path / "stems")
    assert result.returncode == 0
    assert "no page: " in result.stderr
    assert "stays as it is" in result.stderr
    assert (folder / "index.html").read_text() == "mine"
    assert (folder / "bass.wav").exists()


def test_takes_are_compared(tmp_path):
    folder = tmp_path / "takes"
    takes = ("--seconds", "0.4", "--variations", "2", "--seed", "1", "-o", folder)
    result = msdm("generate", *takes, *OPTIONS)
    assert result.returncode == 0, result.stderr
    assert f"to compare them: {folder / 'index.html'}" in result.stderr
    gallery = (folder / "index.html").read_text("utf-8")
    assert gallery.count("its stems") == 2
    assert (folder / "seed-1" / "index.html").is_file()
    one = ("--seconds", "0.4", "--seed", "1", "-o", tmp_path / "one")
    assert msdm("generate", *one, *OPTIONS).returncode == 0
    assert not (tmp_path / "one" / "index.html").exists()


def test_a_take_that_is_added_is_compared_with_those_that_are_there(tmp_path):
    folder = tmp_path / "takes"
    length = ("--seconds", "0.3", *OPTIONS)
    assert (
        msdm("generate", *length, "--variations", "2", "--seed", "1", "-o", folder).returncode == 0
    )
    page = folder / "index.html"
    one = ("generate", *length, "--seed", "3", "-o", folder)
    result = msdm(*one)
    assert f"to compare it with others: {page}" in result.stderr
    assert page.read_text("utf-8").count("its stems") == 3
    assert "to compare" not in msdm(*one).stderr  # nothing is new
    # A page of stems is none that compares takes.
    before = (folder / "seed-1" / "index.html").read_bytes()
    given = ("--given", folder / "seed-1", "--target", "piano", "--from", "0.1", "--to", "0.2")
    result = msdm("impute", *given, "--seed", "1", *OPTIONS)
    assert result.returncode == 0, result.stderr
    assert (folder / "seed-1" / "piano" / "index.html").exists()
    assert (folder / "seed-1" / "index.html").read_bytes() == before


def test_a_project_lies_beside_the_stems(write_song, tmp_path):
    song = write_song(seconds=0.3)
    for _ in range(2):  # it is also made for stems that are there
        options = ("--no-page", "--project", "reaper", "--json")
        (done,) = json.loads(separate(song, tmp_path, *options).stdout)
        (project,) = done["beside"]
        assert project == str(tmp_path / "song" / "song.rpp")
        (tmp_path / "song" / "song.rpp").unlink()
    assert separate(song, tmp_path, *options).returncode == 0
    again = separate(song, tmp_path, "--no-page", "--project", "reaper", "--overwrite")
    said = " ".join(again.stderr.split())
    assert "song.rpp: is of the results that were replaced, and stays" in said
    assert "song.rpp" not in again.stdout
    wrong = separate(song, tmp_path, "--project", "cubase")
    wrong.assert_two_lines("cubase is none of reaper", returncode=2)


def test_what_fails_beside_results_is_said_with_what_to_do(tmp_path, monkeypatch):
    def fail(manifest):
        raise UnwritableResults("the disk is full", "Make room on the disk.")

    monkeypatch.setattr("msdm_cli.midi.notes.find_network", lambda: None)
    monkeypatch.setattr("msdm_cli.jobs.transcribe.write_notes", fail)
    take = ("--seconds", "0.4", "--seed", "1", "-o", tmp_path, "--no-page", "--midi")
    result = msdm("generate", *take, *OPTIONS)
    assert result.returncode == 0
    assert "no MIDI: the disk is full. Make room on the disk." in result.stderr
    assert (tmp_path / "seed-1" / "piano.wav").exists()


def test_notes_of_what_was_replaced_do_not_stay(tmp_path, monkeypatch):
    def fail(source):
        raise UnwritableResults("no notes", "Rest.")

    def find_none(source):
        return []

    monkeypatch.setattr("msdm_cli.midi.notes.find_network", lambda: None)
    take = ("--seconds", "0.3", "--seed", "1", "-o", tmp_path, "--no-page", *OPTIONS)
    notes = tmp_path / "seed-1" / "piano.mid"
    for options, find, there in (
        (("--midi",), find_none, True),
        ((), fail, True),  # nothing is made
        (("--overwrite",), fail, False),
        (("--midi",), find_none, True),
        (("--midi", "--overwrite"), fail, False),
    ):
        monkeypatch.setattr("msdm_cli.jobs.transcribe.transcribe", find)
        assert msdm("generate", *take, *options).returncode == 0
        assert notes.exists() == there


@pytest.mark.parametrize("command", [("generate",), ("impute", "--given", "drums.wav")])
def test_without_the_package_that_knows_notes_no_work_begins(tmp_path, monkeypatch, command):
    monkeypatch.setattr("msdm_cli.midi.notes.PACKAGE", "no-such-package")
    result = msdm(*command, "-o", tmp_path / "out", "--midi")
    result.assert_two_lines("no-such-package, which knows notes", "pip install --no-deps")
    assert not (tmp_path / "out").exists()
