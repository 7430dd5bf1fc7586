import pytest
from conftest import STEMS, request_imputation, request_separation, separate

from msdm_cli.errors import ReplacesInput, StrayName
from msdm_cli.jobs.places import find_left, place_results


def test_stems_of_a_song_are_written_and_nothing_is_copied(tiny_model, tmp_path):
    request = request_separation(tiny_model, tmp_path / "song.wav", tmp_path)
    places = place_results(request, tiny_model)
    assert places.written == {stem: tmp_path / "song" / f"{stem}.wav" for stem in STEMS}
    assert not places.copies
    assert not places.kept


def test_given_stems_are_copied_unless_they_lie_there(tiny_model, tmp_path):
    folder = tmp_path / "own"
    given = {"drums": folder / "drums.flac", "bass": tmp_path / "bass.wav"}
    places = place_results(request_imputation(tiny_model, given, folder), tiny_model)
    assert list(places.written) == ["bass", "piano", "mixture"]
    assert places.copies == {"bass": tmp_path / "bass.wav"}
    assert places.kept == {"drums": folder / "drums.flac"}


def test_an_input_is_kept_by_any_of_its_names(tiny_model, write_song, tmp_path):
    song = write_song("own/drums.wav", 0.1)
    (tmp_path / "link.wav").symlink_to(song)
    request = request_imputation(tiny_model, {"drums": tmp_path / "link.wav"}, song.parent)
    assert place_results(request, tiny_model).kept == {"drums": song}


def test_results_of_another_rate_beside_a_kept_input_are_refused(tiny_model, tmp_path):
    places = place_results(
        request_imputation(tiny_model, {"drums": tmp_path / "drums.wav"}, tmp_path), tiny_model
    )
    places.check_rate(44100, 44100)
    with pytest.raises(ReplacesInput, match=r"drums\.wav: has 44100 Hz.* stems of 16000 Hz"):
        places.check_rate(44100, 16000)


def test_a_name_that_leads_out_is_refused(tiny_model, tmp_path):
    request = request_separation(tiny_model, tmp_path / "..wav", tmp_path, track="..")
    with pytest.raises(StrayName, match="is not inside"):
        place_results(request, tiny_model)


def test_what_stays_of_results_that_are_replaced_is_named(tiny_model, write_song, tmp_path, caplog):
    song = write_song(seconds=0.2)
    assert find_left(tmp_path / "song" / "msdm.json", []) == []
    separate(tiny_model, song, tmp_path)
    left = [write_song(f"song/{name}.wav", seconds=0.2) for name in ("piano", "without-drums")]
    three = ("bass", "drums", "guitar")
    result = separate(tiny_model, song, tmp_path, stems=three, overwrite=True)
    assert result.files.keys() == set(three)
    assert [record.args for record in caplog.records if "stays" in record.msg] == [
        (path,) for path in left
    ]
    assert all(path.exists() for path in left)
