import pytest
from conftest import generate, impute

from msdm_cli.jobs import transcribe
from msdm_cli.midi.midi_file import MARK
from msdm_cli.midi.notes import Note


@pytest.fixture
def found(monkeypatch):
    """Names of the files that are transcribed, without a network."""
    asked = []

    def pretend(source):
        asked.append(source.name)
        return [Note(0.1, 0.3, 60, 0.5)]

    monkeypatch.setattr(transcribe, "transcribe", pretend)
    return asked


def test_new_stems_with_a_pitch_get_their_notes(tiny_model, write_song, tmp_path, found):
    guitar = write_song("guitar.wav", seconds=0.4)
    made = impute(
        tiny_model, {"guitar": guitar}, tmp_path / "o", targets=("piano", "bass", "drums")
    )
    paths = transcribe.write_notes(made.manifest)
    assert sorted(path.name for path in paths) == ["bass.mid", "piano.mid"]
    assert sorted(found) == ["bass.wav", "piano.wav"]
    assert all(MARK in path.read_bytes() for path in paths)


def test_notes_that_are_there_are_only_found(tiny_model, write_song, tmp_path, found):
    drums = write_song("drums.wav", seconds=0.4)
    made = impute(tiny_model, {"drums": drums}, tmp_path / "out", targets=("bass", "piano"))
    bass, piano = transcribe.write_notes(made.manifest)
    piano.unlink()
    found.clear()
    assert transcribe.write_notes(made.manifest) == (bass, piano)
    assert found == ["piano.wav"]
    assert piano.is_file()


def test_files_of_somebody_else_stay(tiny_model, write_song, tmp_path, found):
    drums = write_song("drums.wav", seconds=0.4)
    made = impute(tiny_model, {"drums": drums}, tmp_path / "out")
    (path,) = transcribe.write_notes(made.manifest)
    path.write_bytes(b"mine")
    assert transcribe.write_notes(made.manifest) == ()
    transcribe.remove_notes(made.manifest)
    assert path.read_bytes() == b"mine"


def test_notes_of_given_stems_stay_where_new_ones_are_removed(
    tiny_model, write_song, tmp_path, found
):
    given = {name: write_song(f"{name}.wav", seconds=0.4) for name in ("bass", "piano")}
    made = impute(tiny_model, given, tmp_path / "a", targets=("piano",), part=(0.1, 0.2))
    transcribe.write_notes(made.manifest)
    bass = made.files["bass"].with_suffix(".mid")
    bass.write_bytes(MARK)
    transcribe.remove_notes(made.manifest)
    assert [path.name for path in made.manifest.parent.glob("*.mid")] == ["bass.mid"]


def test_what_is_given_and_new_gets_its_notes(tiny_model, write_song, tmp_path, found):
    given = {name: write_song(f"{name}.wav", seconds=0.4) for name in ("bass", "piano")}
    made = impute(tiny_model, given, tmp_path / "a", targets=("piano",), part=(0.1, 0.2))
    assert [path.name for path in transcribe.write_notes(made.manifest)] == ["piano.mid"]
    longer = generate(tiny_model, tmp_path / "b", 0.2, inputs=given, continues=True)
    paths = transcribe.write_notes(longer.manifest)
    assert sorted(path.name for path in paths) == ["bass.mid", "guitar.mid", "piano.mid"]
