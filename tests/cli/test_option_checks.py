"""What the values of options must be."""

import pytest
import typer

from msdm_cli.backends.onnx_backend import PROVIDERS
from msdm_cli.backends.runtime import AUTO
from msdm_cli.cli.option_checks import (
    DEVICES,
    LARGEST_SEED,
    check_devices,
    check_finite,
    check_name,
    check_seed,
    choose_from,
    choose_several,
    complete,
    list_models,
    list_providers,
    split_names,
)


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
