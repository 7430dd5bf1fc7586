"""``msdm weights pull`` and ``msdm weights import``."""

import json
import tarfile

import pytest
import torch
from conftest import lightning_checkpoint
from run_msdm import msdm
from small_demucs import STEMS, write_demucs

from msdm_cli.models import pull
from msdm_cli.models.part_file import PartFile, Version
from msdm_cli.models.registry import load_archives


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_tar(path, *names, content=b"x"):
    """A tar of folders that hold one checkpoint each."""
    checkpoint = path.with_name("epoch=1.ckpt")
    checkpoint.write_bytes(content)
    with tarfile.open(path, "w") as tar:
        for name in names:
            tar.add(checkpoint, f"{name}/epoch=1.ckpt")


def save_checkpoint(path):
    torch.save(lightning_checkpoint()[1], path)


def test_a_model_is_imported_used_and_removed(write_song, tmp_path):
    save_checkpoint(tmp_path / "epoch=1.ckpt")
    imported = msdm("weights", "import", tmp_path / "epoch=1.ckpt", "--name", "mine")
    assert imported.returncode == 0, imported.stderr
    assert msdm("weights", "verify", "mine").returncode == 0
    song = write_song(seconds=0.5)
    options = ("--model", "mine", "--sampler", "dirac", "--steps", 2, "--seed", 1, "--json")
    result = msdm("separate", song, "-o", tmp_path / "stems", *options)
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert len(done["files"]) == 4
    assert done["seed"] == 1
    again = msdm("weights", "import", tmp_path / "epoch=1.ckpt", "--name", "mine")
    again.assert_two_lines("there is a model mine already", "--name", "msdm weights remove mine")
    assert msdm("weights", "remove", "mine").returncode == 0
    gone = msdm("separate", song, "--model", "mine")
    gone.assert_two_lines("no model is called mine", "embedded", "msdm weights list", returncode=2)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_separator_of_others_gives_stems_that_sum_to_the_song(write_song, tmp_path, channels):
    write_demucs(tmp_path / "htdemucs_6s.th")
    imported = msdm("weights", "import", tmp_path / "htdemucs_6s.th", "--name", "others")
    assert imported.returncode == 0, imported.stderr
    song = write_song(seconds=1.5, channels=channels)
    result = msdm("separate", song, "-o", tmp_path / "stems", "--model", "others", "--no-page")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "stems" / song.stem
    assert sorted(path.stem for path in folder.glob("*.wav")) == sorted(STEMS)
    checked = msdm("check", folder)
    assert "the stems sum to the song, exactly" in checked.stdout


def test_a_separator_does_neither_impute_nor_run_in_onnx(write_song, tmp_path):
    write_demucs(tmp_path / "a.th")
    msdm("weights", "import", tmp_path / "a.th", "--name", "others")
    music = msdm("generate", "--model", "others", "--seconds", 1, "-o", tmp_path / "music")
    music.assert_two_lines("others has no settings", "msdm weights list")
    export = msdm("weights", "export", "others")
    export.assert_two_lines("demucs cannot be exported to ONNX", "backend torch")


def test_stems_are_estimated_again_given_the_others(write_song, tmp_path):
    write_demucs(tmp_path / "a.th")
    msdm("weights", "import", tmp_path / "a.th", "--name", "others")
    song = write_song(seconds=0.5, channels=2)
    options = ("--model", "others", "--sampler", "gibbs", "--steps", 3, "--seed", 1, "--json")
    result = msdm("separate", song, "-o", tmp_path / "stems", *options)
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert done["seed"] == 1
    assert "the stems sum to the song" in msdm("check", tmp_path / "stems" / song.stem).stdout


def test_a_tar_of_one_checkpoint_is_imported(tmp_path):
    save_checkpoint(tmp_path / "epoch=2.ckpt")
    write_tar(tmp_path / "one.tar", "run", content=(tmp_path / "epoch=2.ckpt").read_bytes())
    result = msdm("weights", "import", tmp_path / "one.tar", "--name", "mine")
    assert result.returncode == 0, result.stderr


def test_a_tar_of_several_checkpoints_is_not_guessed_at(tmp_path):
    write_tar(tmp_path / "some.tar", "one", "two")
    result = msdm("weights", "import", tmp_path / "some.tar", "--name", "mine")
    result.assert_two_lines("holds 2 checkpoints (one, two)", "Unpack it.")


def test_the_embedded_model_is_not_to_be_removed(tmp_path):
    store = tmp_path / "one.ckpt"
    store.touch()
    taken = msdm("weights", "import", store, "--name", "embedded")
    taken.assert_two_lines("embedded", "Choose another --name.")
    assert "weights remove" not in taken.stderr


def test_a_name_that_is_no_name_is_wrong_usage(tmp_path):
    result = msdm("weights", "import", tmp_path / "a.ckpt", "--name", "../mine")
    result.assert_two_lines("--name", returncode=2)


def test_a_model_that_is_missing_is_offered_and_not_fetched_offline(write_song):
    missing = msdm("separate", write_song(), "--model", "msdm-generation")
    missing.assert_two_lines("msdm-generation is not on this machine", "msdm weights pull msdm")
    offline = msdm("weights", "pull", "msdm", "--offline")
    offline.assert_two_lines("msdm is not on this machine", "--offline")


def test_what_cannot_be_fetched_lists_what_can():
    msdm("weights", "pull", "nonsense").assert_two_lines(
        "nonsense", "These can: msdm", returncode=2
    )


@pytest.fixture
def fetched(monkeypatch):
    """Takes the place of the network: an archive holds these checkpoints, or is no tar."""
    checkpoints = []

    def fetch(url, path, progress):
        with PartFile(path, url) as file:
            file.begin(Version(url, None))
            file.append(b"not a tar")
            file.complete()
        if checkpoints:
            write_tar(path, *checkpoints[:-1], content=checkpoints[-1])
        return path

    monkeypatch.setattr(pull, "fetch_archive", fetch)
    return checkpoints


def find_archive(name):
    return next(
        archive
        for archive in load_archives().values()
        if name in [model.name for model in archive.models]
    )


def test_an_archive_is_fetched_imported_and_removed(fetched, cache, tmp_path):
    save_checkpoint(tmp_path / "any.ckpt")
    archive = find_archive("msdm-generation")
    folders = [folder for model in archive.models for folder in model.checkpoints]
    fetched += [*folders, (tmp_path / "any.ckpt").read_bytes()]
    result = msdm("weights", "pull", "msdm-generation")
    assert result.returncode == 0, result.stderr
    assert f"{archive.url}: sha256 " in result.stderr
    assert result.stdout.splitlines() == [
        f"{model.name}: {cache / model.name}" for model in archive.models
    ]
    assert not (cache / ".downloads" / f"{archive.name}.tar").exists()
    again = msdm("weights", "pull", "msdm-generation")
    assert again.stdout == "on this machine already: msdm, msdm-generation\n"


def test_a_damaged_archive_is_named_and_removed(fetched, cache):
    result = msdm("weights", "pull", "msdm", "--quiet")
    result.assert_two_lines("cannot be unpacked", "It was removed, and will be fetched again.")
    assert not list((cache / ".downloads").glob("*.tar*"))


def test_an_archive_without_the_checkpoint_says_what_it_has(fetched):
    fetched += ["other", b"x"]
    result = msdm("weights", "pull", "msdm", "--quiet")
    result.assert_two_lines("has no checkpoint", "It has other.", "removed")


def test_a_checkpoint_of_others_must_be_the_one_that_is_known(monkeypatch, cache):
    def fetch(url, path, progress):
        with PartFile(path, url) as file:
            file.begin(Version(url, None))
            file.append(b"another")
            file.complete()

    monkeypatch.setattr(pull, "fetch_archive", fetch)
    result = msdm("weights", "pull", "htdemucs_6s", "--quiet")
    result.assert_two_lines("5c90dfd2-34c22ccb.th: sha256 is", "removed")
    assert not list((cache / ".downloads").glob("*.th"))
