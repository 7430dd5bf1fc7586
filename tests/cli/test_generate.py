"""``msdm generate``."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import FIVE_STEMS, STEMS, list_files, music
from run_msdm import msdm

from msdm_cli.audio.stem_finish import MARGIN_UNITS
from msdm_cli.tasks.controls import Controls

pytestmark = pytest.mark.usefixtures("tiny")

FULL_SCALE = 1 << 15
SUM_TOLERANCE = 1e-6
"""Four stems of up to 2 in single precision: five roundings of 2^-24."""
UNIT = 1.01
"""libsndfile rounds down; full scale in single precision has an error of 0.002 units."""


def generate(*arguments, model="tiny"):
    return msdm("generate", *arguments, "--model", model, "--device", "cpu", "--precision", "fp32")


def test_the_same_seeds_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        command = ("--seconds", 1, "--seed", 1, "--variations", 2, "-o", tmp_path / name)
        result = generate(*command)
        assert result.returncode == 0, result.stderr
    files = list_files(tmp_path / "a")
    assert len(files) == 2 * (len(STEMS) + 2)
    for file in files:
        if not file.endswith("msdm.json"):
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    one, two = (tmp_path / "a" / f"seed-{seed}" / "mixture.wav" for seed in (1, 2))
    assert one.read_bytes() != two.read_bytes()
    assert soundfile.info(one).frames == 22050


def test_a_seed_is_drawn_and_shown(tmp_path):
    result = generate("--seconds", 0.5, "-o", tmp_path, "--json")
    (done,) = json.loads(result.stdout)
    assert done["variation"] == f"seed {done['seed']}"
    assert list_files(tmp_path)[0].startswith(f"seed-{done['seed']}/")


def test_a_model_of_five_stems_is_no_exception(tmp_path):
    result = generate("--seconds", 0.5, "--seed", 7, "-o", tmp_path, model="quintet")
    assert result.returncode == 0, result.stderr
    expected = [*(f"{stem}.wav" for stem in FIVE_STEMS), "mixture.wav", "msdm.json"]
    assert list_files(tmp_path / "seed-7") == sorted(expected)


def test_a_failed_variation_does_not_end_the_rest(tmp_path):
    (tmp_path / "seed-1").touch()
    command = ("--seconds", 0.2, "--seed", 1, "--variations", 2, "-o", tmp_path, "--json")
    result = generate(*command)
    assert result.returncode == 1
    failed, done = json.loads(result.stdout)
    assert "cannot be written" in failed["error"]
    assert Path(done["files"]["mixture"]).is_file()


def test_no_length_names_the_option(tmp_path):
    result = generate("--seconds", 0, "--seed", 1, "-o", tmp_path)
    result.assert_two_lines("0.0 s is no length", "Ask for more with --duration.")


def test_a_dry_run_does_nothing(tmp_path):
    command = ("--seconds", 1, "--variations", 3, "-o", tmp_path / "out", "--dry-run", "--json")
    result = generate(*command)
    assert result.returncode == 0, result.stderr
    (estimate,) = json.loads(result.stdout)
    assert estimate["name"] == "one take"
    assert estimate["audio_seconds"] == 1.0
    assert not (tmp_path / "out").exists()


def cascade(*arguments):
    return generate(*arguments, model="tiny-cascade")


def read(path):
    return soundfile.read(path, dtype="int16")[0]


@pytest.fixture
def take(tmp_path):
    """A take of 0.5 s, with what was asked of it."""
    asked = ("--tempo", 100, "--key", "Am", "--style", "rock", "--play", "bass,drums")
    result = cascade("--seconds", 0.5, "--seed", 1, *asked, "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    return tmp_path / "seed-1"


def read_exactly(result):
    """The only take of a command, as floats, which no gain makes softer."""
    (done,) = json.loads(result.stdout)
    assert done["gain_db"] == 0
    return {name: soundfile.read(path)[0] for name, path in done["files"].items()}


def test_a_take_is_continued(take, tmp_path):
    command = ("--extend", take, "--seconds", 0.4, "--seed", 2, "--json")
    exact = read_exactly(cascade(*command, "--subtype", "FLOAT", "-o", tmp_path / "float"))
    result = cascade(*command, "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert done["variation"] == "seed 2, rock, 100 bpm, A minor"
    longer = tmp_path / "seed-2"
    for name in STEMS:
        before, now = read(take / f"{name}.wav"), read(longer / f"{name}.wav")
        assert len(now) == round(0.9 * 22050)
        np.testing.assert_array_equal(now[: len(before)], before)
        np.testing.assert_array_equal(exact[name][: len(before)] * FULL_SCALE, before)
    # The mixture is the sum of the stems, softer only if that would clip.
    total = np.sum([exact[name] for name in STEMS], 0)
    np.testing.assert_allclose(exact["mixture"], total, atol=SUM_TOLERANCE)
    peak = np.abs(total).max()
    gain = 1.0 if peak <= 1 else (1 - MARGIN_UNITS / FULL_SCALE) / peak
    assert done["gain_db"] == pytest.approx(20 * np.log10(gain), abs=1e-5)
    mixture = read(longer / "mixture.wav")
    np.testing.assert_allclose(mixture, gain * total * FULL_SCALE, rtol=0, atol=UNIT)
    one, two = (
        json.loads((folder / "msdm.json").read_text())["request"]["options"]["controls"]
        for folder in (take, longer)
    )
    assert one == two
    # What was continued is continued again; a rerun gives the same bytes.
    again = cascade("--extend", longer, "--seconds", 0.2, "--seed", 3, "-o", tmp_path)
    assert again.returncode == 0, again.stderr
    assert soundfile.info(tmp_path / "seed-3" / "bass.wav").frames == round(1.1 * 22050)
    rerun = msdm("rerun", tmp_path / "seed-3" / "msdm.json", "-o", tmp_path / "rerun")
    assert rerun.returncode == 0, rerun.stderr


def test_other_music_is_asked_of_a_continuation(take, tmp_path):
    other = ("--tempo", 120, "--style", "funk", "--key", "C")
    result = cascade("--extend", take, "--seconds", 0.2, "--seed", 2, *other, "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    manifest = json.loads((tmp_path / "seed-2" / "msdm.json").read_text())
    controls = manifest["request"]["options"]["controls"]
    assert (controls["tempo"], controls["style"], controls["key"]) == (120.0, "funk", "C major")
    assert controls["first_beat"] is None
    assert controls["playing"] == [True, True, False, False]


@pytest.mark.parametrize("model", ["tiny", "tiny-cascade"])
def test_stems_that_somebody_made_are_continued(tmp_path, model):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, rate in (("Drums", 44100), ("bass", 44100)):
        soundfile.write(folder / f"{name}.wav", music(44100, 2, rate).T, rate, "PCM_24")
    result = generate(
        "--extend", folder, "--seconds", 0.3, "--seed", 1, "-o", tmp_path, model=model
    )
    assert result.returncode == 0, result.stderr
    assert ("heard" in result.stderr) == (model == "tiny-cascade")
    for name in STEMS:
        info = soundfile.info(tmp_path / "seed-1" / f"{name}.wav")
        assert (info.frames, info.channels, info.samplerate) == (57330, 2, 44100)
        assert info.subtype == "PCM_24"
    manifest = json.loads((tmp_path / "seed-1" / "msdm.json").read_text())
    assert sorted(manifest["request"]["inputs"]) == ["bass", "drums"]


def test_a_take_is_not_replaced_by_its_continuation(take):
    result = cascade("--extend", take, "--seed", 1, "-o", take.parent, "--overwrite")
    assert result.returncode == 1
    assert "is an input, and would be replaced" in result.stderr


def test_a_folder_without_stems_is_not_continued(tmp_path):
    soundfile.write(tmp_path / "hum.wav", music(1000).T, 22050)
    result = cascade("--extend", tmp_path, "-o", tmp_path)
    result.assert_two_lines(
        "holds no bass, drums, guitar, piano", "Name a folder with these stems: bass.wav"
    )


def test_a_sound_alone_is_not_continued(take, tmp_path):
    result = cascade("--extend", take / "drums.wav", "-o", tmp_path)
    result.assert_two_lines("drums.wav: is a sound", "Name the folder that it lies in")


def test_bars_are_a_loop_in_the_tempo(tmp_path):
    result = cascade("--bars", 1, "--tempo", 150, "--seed", 1, "--style", "waltz", "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    frames = soundfile.info(tmp_path / "seed-1" / "mixture.wav").frames
    assert frames == round(3 * 60 / 150 * 22050)
    options = json.loads((tmp_path / "seed-1" / "msdm.json").read_text())["request"]["options"]
    assert options["loops"]
    drawn = cascade("--bars", 1, "--seed", 2, "-o", tmp_path, "--rate", 44100, "--json")
    tempo = json.loads((tmp_path / "seed-2" / "msdm.json").read_text())["request"]["options"]
    bar = Controls(**tempo["controls"]).bar_seconds
    assert json.loads(drawn.stdout)[0]["properties"]["frames"] == pytest.approx(44100 * bar, abs=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--bars", 2, "--seconds", 3), "leave --seconds out"),
        (("--bars", 2, "--extend", "."), "leave --extend out"),
        (("--bars", 0), "--bars"),
        (("--bars", 2, "--model", "tiny"), "draws no sketch"),
    ],
)
def test_bars_that_mean_nothing_are_wrong_usage(tmp_path, arguments, words):
    result = msdm("generate", "--model", "tiny-cascade", "-o", tmp_path, *arguments)
    result.assert_two_lines(words, returncode=2)


@pytest.mark.parametrize(
    "how", [("--bars", 2, "--tempo", 120, "--style", "rock"), ("--extend", "TAKE")]
)
def test_a_dry_run_of_a_loop_or_a_continuation_does_nothing(take, tmp_path, how):
    before = list_files(tmp_path)
    arguments = [take if word == "TAKE" else word for word in how]
    result = cascade(*arguments, "--dry-run", "--json", "-o", tmp_path)
    assert result.returncode == 0, result.stderr
    (estimate,) = json.loads(result.stdout)
    assert estimate["audio_seconds"] == pytest.approx(4.0 if "--bars" in how else 12.5)
    assert list_files(tmp_path) == before
