"""What the values of options must be."""

import sys
from pathlib import Path

import pytest
import typer
from run_msdm import msdm

from msdm_cli.backends.onnx_backend import PROVIDERS
from msdm_cli.backends.runtime import AUTO
from msdm_cli.cli.option_checks import (
    DEVICES,
    LARGEST_SEED,
    check_devices,
    check_finite,
    check_here,
    check_name,
    check_seed,
    choose_from,
    choose_several,
    complete,
    list_models,
    list_providers,
    split_names,
)
from msdm_cli.errors import InputError


def test_a_choice_is_one_of_a_table():
    check = choose_from(lambda: ["a", "b"])
    assert check("a") == "a"
    assert check(None) is None
    assert check(["a", "b"]) == ["a", "b"]
    with pytest.raises(typer.BadParameter, match="c is none of a, b"):
        check(["a", "c"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(value):
    with pytest.raises(typer.BadParameter, match="not a finite number"):
        check_finite(value)
    assert check_finite(0.5) == 0.5
    assert check_finite(None) is None


def test_a_seed_has_63_bits():
    assert check_seed(LARGEST_SEED) == LARGEST_SEED
    with pytest.raises(typer.BadParameter, match="larger than"):
        check_seed(LARGEST_SEED + 1)


def test_a_name_is_checked():
    assert check_name("{stem} of {track}.{ext}") == "{stem} of {track}.{ext}"
    with pytest.raises(typer.BadParameter, match="stem"):
        check_name("{track}.{ext}")


@pytest.mark.parametrize(
    "value", ["auto", "cpu", "cuda", "cuda:1", "cuda:0,cuda:1", "mps", "dml", None]
)
def test_a_device_that_some_machine_has(value):
    assert check_devices(value) == value


@pytest.mark.parametrize("value", ["gpu", "cuda:", "cuda:x", "cpu,gpu", "", "CPU"])
def test_a_device_that_no_machine_has_lists_them(value):
    with pytest.raises(typer.BadParameter, match="is none of auto, cpu, cuda, mps"):
        check_devices(value)


def test_more_devices_than_any_machine_has():
    with pytest.raises(typer.BadParameter, match="65 devices are more than 64"):
        check_devices(",".join(["cpu"] * 65))


def test_devices_are_those_of_both_backends():
    assert set(PROVIDERS) | {"mps"} == set(DEVICES)
    assert AUTO not in DEVICES


def test_names_are_separated_by_commas_or_by_repetition():
    assert split_names(["drums,bass", "piano"]) == ["drums", "bass", "piano"]
    assert split_names(["drums, bass"]) == ["drums", "bass"]
    assert split_names(None) is None
    with pytest.raises(typer.BadParameter, match="empty"):
        split_names(["drums,"])


def test_a_shell_is_offered_what_begins_alike():
    assert complete(lambda: ["cpu", "cuda", "mps"])("c") == ["cpu", "cuda"]
    assert complete(lambda: ["cpu"])("x") == []


def test_lists_of_models_and_providers(tiny):
    assert list_models()[0] == "embedded"
    assert "tiny" in list_models()
    assert list_providers() == list(PROVIDERS)


def test_several_names_are_chosen_from_a_table():
    check = choose_several(lambda: ["one", "two"])
    assert check(["one, two", "one"]) == ["one", "two", "one"]
    with pytest.raises(typer.BadParameter, match="three is none of one, two"):
        check(["one,three"])


def test_where_a_path_is_needed_an_address_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in (None, Path("a.wav"), [Path("a.wav"), Path("b.wav")], "a.wav"):
        assert check_here(value) == value
    for address in ("https://x.org/a.wav", Path("s3://x/a"), [Path("a"), Path("s3://x/a")]):
        with pytest.raises(InputError, match=r"(https|s3)://.*: is an address"):
            check_here(address)


@pytest.mark.skipif(sys.platform == "win32", reason="a colon is no part of a name there")
def test_a_path_of_this_machine_may_look_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "live:").mkdir()
    (tmp_path / "live:" / "a.wav").write_bytes(b"")
    assert check_here(Path("live:/a.wav")) == Path("live:/a.wav")


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "s3://x/stems"),
        ("check", "stems", "s3://x/a.wav"),
        ("evaluate", "s3://x", "estimates"),
        ("evaluate", "songs", "s3://x"),
        ("evaluate", "songs", "estimates", "--tables", "s3://x"),
        ("evaluate", "songs", "estimates", "--plot", "s3://x/plot.png"),
        ("generate", "--extend", "s3://x/seed-1"),
        ("impute", "--given", "s3://x/bass.wav"),
        ("mix", "s3://x/stems", "--without", "drums"),
        ("mix", "stems", "--without", "drums", "-o", "s3://x/mix.wav"),
        ("rerun", "s3://x/msdm.json"),
        ("rerun", "msdm.json", "-o", "s3://x/rerun"),
        ("rerun", "msdm.json", "--input", "s3://x/a.wav"),
        ("separate", "a.wav", "--csv", "s3://x/songs.csv"),
        ("view", "s3://x/stems"),
    ],
)
def test_commands_that_take_no_address_say_so(arguments):
    msdm(*arguments).assert_two_lines("s3://x", "is an address", "of this machine")
