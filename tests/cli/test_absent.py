"""``msdm separate --absent``."""

import json

import numpy as np
import pytest
import soundfile
from conftest import STEMS, list_files, read_sound
from run_msdm import msdm

from msdm_cli.cli.absent import choose_absent
from msdm_cli.cli.model_options import find_spec
from msdm_cli.tasks import absent as module

pytestmark = pytest.mark.usefixtures("tiny")

TINY = ("--model", "tiny", "--device", "cpu", "--precision", "fp32")
FAST = (*TINY, "--quality", "fast")


def separate(*arguments, options=FAST):
    return msdm("separate", *arguments, *options)


def add_up(folder, *names):
    """The sum of files in a folder, ``[C, T]``."""
    return sum(read_sound(folder / f"{name}.wav") for name in names)


def test_absent_stems_are_not_written_and_the_others_sum_to_the_song(write_song, tmp_path):
    song = write_song(seconds=0.5)
    result = separate(song, "-o", tmp_path / "told", "--absent", "piano", "--json")
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert list(done["files"]) == list(STEMS[:3])
    folder = tmp_path / "told" / "song"
    assert list_files(folder) == ["bass.wav", "drums.wav", "guitar.wav", "msdm.json"]
    np.testing.assert_array_equal(add_up(folder, *STEMS[:3]), read_sound(song))
    assert separate(song, "-o", tmp_path / "untold").returncode == 0
    for stem in STEMS[:3]:
        untold = tmp_path / "untold" / "song" / f"{stem}.wav"
        assert (folder / f"{stem}.wav").read_bytes() != untold.read_bytes()


def test_the_manifest_says_it_and_check_and_rerun_heed_it(write_song, tmp_path):
    song = write_song(seconds=0.5)
    assert separate(song, "-o", tmp_path / "a", "--absent", "piano,bass").returncode == 0
    manifest = tmp_path / "a" / "song" / "msdm.json"
    described = json.loads(manifest.read_text())
    for part in ("request", "identity"):
        # In the order of the model: the order of words makes no other job.
        assert described[part]["options"]["absent"] == ["bass", "piano"]
    again = separate(song, "-o", tmp_path / "a", "--absent", "bass", "--absent", "piano", "--json")
    assert json.loads(again.stdout)[0]["skipped"]
    checked = msdm("check", tmp_path / "a" / "song")
    assert checked.stdout == "2 files unchanged\nthe stems sum to the song, exactly\n"
    made = msdm("rerun", manifest, "-o", tmp_path / "b")
    assert made.returncode == 0, made.stderr
    assert "the same to the last bit" in made.stdout
    other = separate(song, "-o", tmp_path / "a", "--absent", "piano")
    other.assert_two_lines("for other settings", "--overwrite")


def test_mixes_a_residual_and_another_rate_leave_it_out(write_song, tmp_path):
    song = write_song(seconds=0.5)
    options = ("--absent", "piano", "--without", "drums", "--stems", "drums,guitar", "--residual")
    result = separate(song, "-o", tmp_path / "a", *options, "--mix", "guitar=0")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "a" / "song"
    named = ("drums", "guitar", "mix", "residual", "without-drums")
    assert list_files(folder) == sorted([*(f"{name}.wav" for name in named), "msdm.json"])
    np.testing.assert_array_equal(add_up(folder, "without-drums", "drums"), read_sound(song))
    np.testing.assert_array_equal(add_up(folder, "mix", "guitar"), read_sound(song))
    result = separate(song, "-o", tmp_path / "b", "--absent", "piano", "--rate", 48000)
    assert result.returncode == 0, result.stderr
    assert soundfile.info(tmp_path / "b" / "song" / "guitar.wav").samplerate == 48000
    assert "sum to the song, exactly" in msdm("check", tmp_path / "b" / "song").stdout


def test_songs_at_once_with_names_of_ones_own(write_song, tmp_path):
    songs = [write_song(f"{name}.wav", 0.3) for name in "ab"]
    options = ("--absent", "bass", "--jobs", 2, "--name", "{stem} of {track}.{ext}")
    result = separate(*songs, "-o", tmp_path / "out", *options)
    assert result.returncode == 0, result.stderr
    named = [f"{stem} of {track}.wav" for track in "ab" for stem in STEMS[1:]]
    described = [f"msdm of {track}.json" for track in "ab"]
    assert list_files(tmp_path / "out") == sorted([*named, *described])


def test_a_dry_run_counts_what_would_be_written(write_song, tmp_path):
    song = write_song(seconds=1)
    sizes = []
    for options in ((), ("--absent", "piano")):
        result = separate(song, "-o", tmp_path / "out", "--dry-run", "--json", *options)
        assert result.returncode == 0, result.stderr
        sizes.append(json.loads(result.stdout)[0]["output_bytes"])
    assert sizes[1] == pytest.approx(sizes[0] * 3 / 4, rel=0.01)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("pages")
def test_the_page_says_it(write_song, tmp_path):
    result = separate(write_song(seconds=0.5), "-o", tmp_path, "--absent", "piano")
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "song" / "index.html").read_text()
    assert "<dt>absent</dt><dd>piano</dd>" in page.replace("\n", "")


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_both_backends_tell_the_embedded_network(write_song, tmp_path, backend):
    song = write_song(seconds=1)
    options = ("--backend", backend, "--precision", "fp32", "--absent", "piano")
    result = msdm("separate", song, "-o", tmp_path, *options)
    assert result.returncode == 0, result.stderr
    np.testing.assert_array_equal(add_up(tmp_path / "song", *STEMS[:3]), read_sound(song))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--absent", "kazoo"), "kazoo is no stem of the model tiny"),
        (("--absent", ",".join(STEMS)), "all stems are named"),
        (("--absent", "piano", "--stems", "bass,piano"), "piano is in --stems, too"),
        (("--absent", "piano", "--without", "piano"), "piano is in --mix or --without, too"),
        (("--absent", "piano", "--mix", "piano=-6dB"), "piano is in --mix or --without, too"),
    ],
)
def test_what_cannot_be_absent_is_wrong_usage(write_song, tmp_path, options, what):
    result = separate(write_song(seconds=0.2), "-o", tmp_path / "out", *options)
    result.assert_two_lines("--absent", what, returncode=2)
    assert not (tmp_path / "out").exists()


def test_a_sampler_that_does_not_tell_the_network_is_an_error(write_song, tmp_path):
    options = ("--model", "paper", "--sampler", "dirac", "--absent", "piano")
    result = msdm("separate", write_song(seconds=0.2), "-o", tmp_path / "out", *options)
    result.assert_two_lines("the sampler dirac does not tell", "--sampler")


def test_a_network_that_cannot_be_told_is_an_error(write_song, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TELLABLE", ())
    result = separate(write_song(seconds=0.2), "-o", tmp_path / "out", "--absent", "piano")
    result.assert_two_lines("the model tiny cannot be told", "--absent", "--model")
    assert separate(tmp_path / "song.wav", "-o", tmp_path / "out").returncode == 0


def test_the_help_says_what_it_is_for():
    text = " ".join(msdm("separate", "--help").stdout.split())
    assert "--absent STEM,... Stems that the song does not have, such as piano" in text


def test_each_stem_is_named_once():
    spec = find_spec("tiny")
    preset = spec.preset("separate", "fast")
    assert choose_absent(["piano", "bass", "piano"], spec, preset) == ("bass", "piano")
    assert choose_absent(None, spec, preset) == ()
