"""``msdm impute``."""

import json

import pytest
import soundfile
from conftest import FIVE_STEMS, STEMS, list_files, music
from run_msdm import msdm

from msdm_cli.cli.model_options import find_spec
from msdm_cli.models.spec import QUALITIES

RESULTS = ["drums.wav", "mixture.wav", "msdm.json", "piano.wav"]


@pytest.fixture
def drums(write_song, tiny):
    return write_song("my drums.wav", seconds=1, rate=22050, channels=1)


def impute(*arguments, model="tiny"):
    return msdm("impute", *arguments, "--model", model, "--device", "cpu", "--precision", "fp32")


def test_results_lie_in_a_folder_named_after_the_input(drums, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = drums.read_bytes()
    result = impute("--given", "my drums.wav", "--target", "piano", "--seed", 1)
    assert result.returncode == 0, result.stderr
    assert list_files(tmp_path / "my drums") == RESULTS
    assert drums.read_bytes() == before == (tmp_path / "my drums" / "drums.wav").read_bytes()


def test_all_that_are_not_given_are_imputed(drums, tmp_path):
    result = impute("--given", f"vocals={drums}", "-o", tmp_path / "out", model="quintet")
    assert result.returncode == 0, result.stderr
    expected = [*(f"{stem}.wav" for stem in FIVE_STEMS), "mixture.wav", "msdm.json"]
    assert list_files(tmp_path / "out") == sorted(expected)


def test_a_seed_is_drawn_and_the_same_command_finds_its_results(drums, tmp_path):
    command = ("--given", drums, "--target", "piano", "-o", tmp_path / "out", "--json")
    (first,) = json.loads(impute(*command).stdout)
    (again,) = json.loads(impute(*command).stdout)
    assert again["skipped"]
    assert again["seed"] == first["seed"]
    assert 0 <= first["seed"] < 1 << 32


def test_variations_are_what_their_seeds_make(drums, tmp_path):
    command = ("--given", drums, "--target", "piano")
    takes = tmp_path / "takes"
    result = impute(*command, "--seed", 4, "--variations", 2, "-o", takes, "--json")
    assert result.returncode == 0, result.stderr
    made = json.loads(result.stdout)
    assert [take["seed"] for take in made] == [4, 5]
    assert [take["imputed"] for take in made] == ["piano, seed 4", "piano, seed 5"]
    assert impute(*command, "--seed", 5, "-o", tmp_path / "one").returncode == 0
    assert list_files(takes / "seed-5") == RESULTS
    four, five = (takes / f"seed-{seed}" / "piano.wav" for seed in (4, 5))
    assert five.read_bytes() == (tmp_path / "one" / "piano.wav").read_bytes()
    assert five.read_bytes() != four.read_bytes()


def test_a_dry_run_does_nothing(drums, tmp_path):
    command = ("--given", drums, "--target", "piano", "--variations", 2, "-o", tmp_path / "out")
    result = impute(*command, "--dry-run", "--json")
    assert result.returncode == 0, result.stderr
    (estimate,) = json.loads(result.stdout)
    assert estimate["name"] == "piano, one take"
    # 22050 samples: a chunk of 16384, which ends 1024 before its end, and one more of 3 steps each.
    assert estimate["calls"] == 2 * 3
    assert not (tmp_path / "out").exists()


def test_a_model_that_does_not_impute_is_an_error(drums, tmp_path):
    result = impute("--given", drums, "-o", tmp_path / "out", model="paper")
    result.assert_two_lines("no settings default to impute", "--model")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--given", "song.wav"), "which stem is song.wav? Write --given bass=song.wav"),
        (("--given", "kazoo=song.wav"), "kazoo is none of bass, drums, guitar, piano"),
        (
            ("--given", "bass=song.wav", "--target", "bass"),
            "bass is both given and target: say which part with --from and --to",
        ),
        (("--given", "bass=song.wav", "--target", "kazoo"), "kazoo is no stem of the model tiny"),
        (("--given", "bass=a.wav", "--given", "bass=b.wav"), "bass is given twice"),
        (("--given", "bass and drums.wav"), "which stem is bass and drums.wav?"),
        (("--given", "drums="), "drums has no path"),
        ((word for stem in STEMS for word in ("--given", f"{stem}.wav")), "all stems are given"),
        ((), "--given"),
    ],
)
def test_what_cannot_be_understood_is_wrong_usage(tiny, arguments, words):
    impute(*arguments).assert_two_lines(words, returncode=2)


def test_the_help_states_the_network_calls_of_the_embedded_model():
    spec = find_spec("embedded")
    for task in ("impute", "generate"):
        text = " ".join(msdm(task, "--help").stdout.split())
        fast, default, best = (spec.sketch_preset(task, name).calls for name in QUALITIES)
        assert f"takes {fast} or {default} calls of the network that draws the sketch" in text
        takes = "imputing" if task == "impute" else "generating takes"
        assert f"{takes} {best}" in text
        assert {spec.preset(task, name).calls for name in QUALITIES} == {1}
    assert "it draws four sketches" in text
    assert spec.sketch_preset("impute", "best").options.candidates == 4


def test_an_address_is_not_fetched(tiny):
    result = impute("--given", "bass=https://x.org/bass.wav")
    result.assert_two_lines("https://x.org/bass.wav: is an address", "of this machine")


def test_targets_are_separated_by_commas(drums, tmp_path):
    result = impute("--given", drums, "--target", "piano,bass", "-o", tmp_path / "o", "--json")
    assert result.returncode == 0, result.stderr
    (done,) = json.loads(result.stdout)
    assert done["imputed"] == "piano, bass"


@pytest.fixture
def band(tmp_path, tiny):
    """A folder of four stems of two seconds."""
    folder = tmp_path / "band"
    folder.mkdir()
    for seed, name in enumerate(STEMS):
        soundfile.write(folder / f"{name}.wav", music(2 * 22050, seed=seed).T, 22050)
    return folder


def read(path):
    return soundfile.read(path, dtype="int16")[0]


@pytest.mark.parametrize("model", ["tiny", "tiny-cascade"])
def test_a_part_of_a_stem_is_drawn_anew(band, model):
    command = ("--given", band, "--target", "piano", "--from", "0:00.5", "--to", 1)
    result = impute(*command, "--seed", 1, "--json", model=model)
    assert result.returncode == 0, result.stderr
    out = band / "piano"
    assert list_files(out) == ["bass.wav", "drums.wav", "guitar.wav", *RESULTS[1:]]
    before, now = read(band / "piano.wav"), read(out / "piano.wav")
    changed = before != now
    assert not changed[:11025].any()
    assert not changed[22050:].any()
    assert changed[11025:22050].mean() > 0.9
    again = impute(*command, "--json", model=model)
    assert json.loads(again.stdout)[0]["skipped"]
    rerun = msdm("rerun", out / "msdm.json", "-o", band / "again")
    assert rerun.returncode == 0, rerun.stderr


def test_a_folder_gives_what_is_no_target(band):
    result = impute("--given", band, "--target", "piano,bass", "-o", band / "out", "--json")
    assert result.returncode == 0, result.stderr
    manifest = json.loads((band / "out" / "msdm.json").read_text())
    assert sorted(manifest["request"]["inputs"]) == ["drums", "guitar"]


@pytest.mark.parametrize("model", ["tiny", "tiny-cascade"])
def test_a_folder_of_targets_alone_gives_nothing(band, model):
    targets = ",".join(STEMS)
    result = impute("--given", band, "--target", targets, "-o", band / "out", model=model)
    words = "nothing is given beside bass, drums, guitar, piano", "--from and --to"
    result.assert_two_lines(*words, returncode=2)
    assert not (band / "out").exists()


def test_the_summary_says_what_was_heard(band):
    command = ("--given", band, "--target", "piano", "-o", band / "out", "--seed", 1)
    result = impute(*command, model="tiny-cascade")
    assert "piano: heard " in result.stderr
    assert "in the given stems; --tempo and --key override it" in result.stderr
    told = impute(*command, "--tempo", 100, "--key", "Am", "--overwrite", model="tiny-cascade")
    assert told.returncode == 0
    assert "heard" not in told.stderr
    manifest = json.loads((band / "out" / "msdm.json").read_text())
    controls = manifest["request"]["options"]["controls"]
    assert (controls["tempo"], controls["key"]) == (100.0, "A minor")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("--target", "piano", "--from", 1, "--to", 0.5), "0.5 s is not after 1 s", 2),
        (("--target", "piano", "--to", 0), "0 s is not after 0 s", 2),
        (("--target", "piano", "--from", "x"), "x is no time", 2),
        (("--from", 1), "name the one to draw anew with --target", 2),
        (("--target", "piano", "--from", 5), "there is nothing from 5 s on", 1),
    ],
)
def test_a_part_that_is_none_is_refused(band, arguments, words, code):
    result = impute("--given", band, *arguments, "-o", band / "out")
    result.assert_two_lines(words, returncode=code)
    if code == 1:
        assert "Choose a part that begins earlier." in result.stderr
    assert not (band / "out").exists()


def test_a_dry_run_of_a_part_counts_its_chunks(band):
    command = (
        "--given",
        band,
        "--target",
        "piano",
        "--from",
        1,
        "--to",
        1.2,
        "--dry-run",
        "--json",
    )
    (estimate,) = json.loads(impute(*command, model="tiny-cascade").stdout)
    assert estimate["calls"] == 3 + 1
