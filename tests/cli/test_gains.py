import pytest
import typer

from msdm_cli.cli.gains import parse_mixes


def test_gains_are_factors_or_decibels():
    mixes = parse_mixes(None, ["drums=-6dB", "guitar=0", "bass=0.5", "piano = +6.02 db"])
    assert list(mixes) == ["mix"]
    expected = {"drums": 0.501, "guitar": 0.0, "bass": 0.5, "piano": 2.0}
    assert mixes["mix"] == pytest.approx(expected, rel=1e-3)


def test_what_is_left_out_gives_the_name():
    assert parse_mixes(["drums", "bass"], None) == {"without-drums-bass": {"drums": 0, "bass": 0}}
    assert list(parse_mixes(["drums"], ["bass=2"])) == ["without-drums", "mix"]
    assert parse_mixes(None, ["drums=0"]) == {"mix": {"drums": 0}}
    assert parse_mixes(None, None) == {}


@pytest.mark.parametrize("value", ["drums", "drums=", "drums=-6", "drums=loud", "=1", "a=1e999"])
def test_gains_that_are_none(value):
    with pytest.raises(typer.BadParameter, match=r"dB|gain"):
        parse_mixes(None, [value])


def test_a_stem_has_one_gain():
    with pytest.raises(typer.BadParameter, match="two gains"):
        parse_mixes(None, ["drums=1", "drums=2"])
