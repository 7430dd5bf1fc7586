"""``~`` on the command line."""

import pytest
from run_msdm import msdm

from msdm_cli.cli.home import expand_home


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("word", "before"),
    [
        ("~/x y", ""),
        ("@~/x y", "@"),
        ("-o~/x y", "-o"),
        ("-o=~/x y", "-o"),
        ("--output=~/x y", "--output="),
        ("drums=~/x y", "drums="),
        ("--given=drums=~/x y", "--given=drums="),
    ],
)
def test_a_home_is_found_where_a_path_begins(home, word, before):
    assert expand_home(word) == f"{before}{home}/x y"
    assert expand_home(word.removesuffix("/x y")) == f"{before}{home}"


@pytest.mark.parametrize(
    "word", ["./~/x", "a~/x", "~backup", "s3://bucket/~/x", "a b=~/x", "-", "-o", "-o=", "", "--"]
)
def test_other_words_stay_as_they_are(home, word):
    assert expand_home(word) == word


def test_a_short_option_needs_no_sign(home):
    assert expand_home("-o=stems") == "-ostems"
    assert expand_home("-o==") == "-o="


def test_results_go_to_the_home_folder(tiny_cache, monkeypatch, home):
    monkeypatch.setenv("MSDM_CACHE", str(tiny_cache))
    monkeypatch.chdir(home)
    options = ("--model", "tiny", "--device", "cpu", "--precision", "fp32", "--seconds", "0.2")
    for number, output in enumerate(("-o=~/a", "--output=~/a")):
        result = msdm("generate", "--seed", number, output, *options)
        assert result.returncode == 0, result.stderr
        assert (home / "a" / f"seed-{number}" / "mixture.wav").is_file()
    assert [path.name for path in home.iterdir()] == ["a"]
