from pathlib import Path

import pytest

from msdm_cli.errors import ReplacesInput, ResultsExist, UnwritableAudio, UnwritableResults
from msdm_cli.jobs.output import OutputOptions, check_links, check_vacant

FOLDER = Path("stems")


@pytest.mark.parametrize(
    "name",
    [
        "{track}.{ext}",
        "../{stem}.{ext}",
        "/x/{stem}.{ext}",
        "C:{stem}.{ext}",
        "..\\{stem}.{ext}",
        "{stem}{kazoo}.{ext}",
        "{stem",
        "{0}{stem}.{ext}",
        "{stem.x}.{ext}",
        "{track:>3000000000}/{stem}.{ext}",
        "{track!r:>3000000000}/{stem}.{ext}",
        "{track:{stem}}/{stem}.{ext}",
        "{stem!r}.{ext}",
        "{}{stem}.{ext}",
        "{track}/{stem}",
        "{stem}.wav",
    ],
)
def test_names_that_do_not_tell_stems_apart_or_lead_out_are_refused(name):
    with pytest.raises(ValueError, match="expected a name"):
        OutputOptions(name=name)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"file_format": "wma"}, "expected a format of wav, flac, ogg, .*, got wma"),
        ({"file_format": "wav/../../x"}, "expected a format"),
        ({"subtype": "PCM_12"}, "expected a subtype of PCM_16"),
    ],
)
def test_formats_and_subtypes_are_those_of_the_tables(fields, words):
    with pytest.raises(ValueError, match=words):
        OutputOptions(**fields)


@pytest.mark.parametrize(
    ("options", "stem", "manifest"),
    [
        (OutputOptions(), "song/bass.wav", "song/msdm.json"),
        (OutputOptions("flac"), "song/bass.flac", "song/msdm.json"),
        (
            OutputOptions("ogg", name="{stem} of {track}.{ext}"),
            "bass of song.ogg",
            "msdm of song.json",
        ),
        (OutputOptions(name="{stem}/{track}.{ext}"), "bass/song.wav", "msdm/song.json"),
    ],
)
def test_results_lie_where_the_name_says(options, stem, manifest):
    assert options.place(FOLDER, "song", "bass") == FOLDER / stem
    assert options.place_manifest(FOLDER, "song") == FOLDER / manifest


@pytest.mark.parametrize("track", ["..", "../x", "/etc"])
def test_songs_whose_names_lead_out_are_refused(track):
    with pytest.raises(UnwritableResults, match="is not inside"):
        OutputOptions().place(FOLDER, track, "bass")


def test_a_subtype_follows_the_source_unless_it_is_asked_for():
    assert OutputOptions().choose_subtype("PCM_24").name == "PCM_24"
    assert OutputOptions(subtype="FLOAT").choose_subtype("PCM_24").name == "FLOAT"
    with pytest.raises(UnwritableAudio, match="flac has no subtype FLOAT"):
        OutputOptions("flac", "FLOAT").choose_subtype("PCM_24")


@pytest.fixture
def there(tmp_path):
    path = tmp_path / "bass.wav"
    path.write_bytes(b"sound")
    return path


def test_what_is_there_is_replaced_only_when_asked(there, tmp_path):
    free = tmp_path / "drums.wav"
    check_vacant([free], {}, overwrite=False)
    check_vacant([free, there], {}, overwrite=True)
    with pytest.raises(ResultsExist, match=r"bass\.wav: is there already"):
        check_vacant([free, there], {}, overwrite=False)


def test_a_manifest_that_is_there_says_more_than_a_file(there, tmp_path):
    manifest = tmp_path / "song-msdm.json"
    manifest.write_text("{}")
    with pytest.raises(ResultsExist, match=r"song-msdm\.json: .* for other settings"):
        check_vacant([there, manifest], {}, overwrite=False)
    check_vacant([there, manifest], {}, overwrite=True)


def test_a_folder_is_never_replaced(tmp_path):
    with pytest.raises(ResultsExist, match="is there already"):
        check_vacant([tmp_path], {}, overwrite=True)


def test_an_input_is_never_replaced_by_any_of_its_names(there, tmp_path):
    link = tmp_path / "link.wav"
    link.symlink_to(there)
    for path, song in ((there, there), (link, there), (there, link)):
        with pytest.raises(ReplacesInput, match="is an input"):
            check_vacant([path], {"song": song}, overwrite=True)


def test_nothing_is_written_through_a_link_to_another_folder(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    out = tmp_path / "out"
    out.symlink_to(elsewhere)
    check_links(out, [out / "song" / "bass.wav", tmp_path / "other.wav"])
    (elsewhere / "song").symlink_to(tmp_path)
    with pytest.raises(UnwritableResults, match="song: is a link"):
        check_links(out, [out / "song" / "deeper" / "bass.wav"])
    (elsewhere / "song").unlink()
    (elsewhere / "song").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnwritableResults, match="song: is a link"):
        check_links(out, [out / "song" / "bass.wav"])
