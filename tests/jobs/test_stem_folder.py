import shutil

import pytest
from conftest import generate, separate

from msdm_cli.errors import MissingStems, UnreadableManifest
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.stem_folder import open_stem_folder


def test_results_are_what_their_manifest_lists(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.2)
    result = separate(tiny_model, song, tmp_path, mixes={"without-bass": {"bass": 0.0}})
    folder = result.manifest.parent
    (folder / "notes.wav").write_text("no stem")
    shutil.copy(result.files["without-bass"], folder / "mix.wav")
    for path in (folder, result.manifest):
        opened = open_stem_folder(path)
        assert (opened.song, opened.folder) == ("song", folder)
        assert opened.stems == {}
        assert list(opened.mixes) == ["without-bass", "mix"]
        assert opened.manifest_path == result.manifest


def test_a_mix_repeats_the_stems_that_it_holds(tiny_model, write_song, tmp_path):
    mixes = {"without-drums": {"drums": 0.0}, "mix": {"bass": 0.5}}
    made = separate(tiny_model, write_song(seconds=0.2), tmp_path, stems=("drums",), mixes=mixes)
    opened = open_stem_folder(made.manifest)
    assert not opened.repeats_stems("without-drums")
    assert opened.repeats_stems("mix")
    assert opened.repeats_stems("mixture")


def test_a_mixture_is_no_stem(tiny_model, tmp_path):
    result = generate(tiny_model, tmp_path, 0.5)
    opened = open_stem_folder(result.manifest.parent)
    assert list(opened.mixes) == ["mixture"]
    assert list(opened.stems) == list(tiny_model.spec.stems)


def test_any_folder_of_sounds(write_song, tmp_path):
    for name in ("take/bass.wav", "take/bass.flac", "take/mixture.wav", "take/.hidden.wav"):
        write_song(name, seconds=0.1)
    opened = open_stem_folder(tmp_path / "take")
    assert sorted(path.name for path in opened.stems.values()) == ["bass.flac", "bass.wav"]
    assert list(opened.mixes) == ["mixture"]
    assert (opened.song, opened.manifest) == ("take", None)


def test_folders_without_sounds_and_with_those_of_several_songs(tiny_model, write_song, tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises((MissingStems, UnreadableManifest), match=folder.name):
            open_stem_folder(folder)
    for name in ("one.wav", "two.wav"):
        output = OutputOptions(name="{track}-{stem}.{ext}")
        result = separate(tiny_model, write_song(name, 0.2), tmp_path / "flat", output=output)
    with pytest.raises(UnreadableManifest, match=r"one-msdm\.json, two-msdm\.json"):
        open_stem_folder(tmp_path / "flat")
    assert open_stem_folder(result.manifest).song == "two"
