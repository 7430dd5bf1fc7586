"""``msdm generate``."""

import json
from pathlib import Path

import pytest
import soundfile
from conftest import FIVE_STEMS, STEMS, list_files
from run_msdm import msdm

pytestmark = pytest.mark.usefixtures("tiny")


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
