import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.source import ArraySource
from msdm_cli.tasks.arrays import (
    check_given,
    check_imputation,
    concatenate,
    flatten_like,
    open_sound,
)
from msdm_cli.tasks.stream import StemBlock


def test_a_path_and_samples_are_sources(write_song):
    path = write_song(seconds=1, rate=8000)
    assert open_sound(path, None, "song").properties.frames == 8000
    assert open_sound(str(path), None, "song").properties.sample_rate == 8000
    source = open_sound(music(100), 22050, "drums")
    assert isinstance(source, ArraySource)
    assert source.name == "drums"


def test_samples_need_a_rate():
    with pytest.raises(ValueError, match="expected a sample rate beside the samples of drums"):
        open_sound(music(100), None, "drums")


@pytest.mark.parametrize(
    ("given", "targets", "words"),
    [
        (("kazoo",), ("bass",), "got kazoo"),
        (("bass",), ("bass",), "got bass as both"),
        (("bass",), ("kazoo",), "got kazoo"),
        ((), ("bass",), "at least one given stem$"),
        (("bass", "drums"), (), "at least one target, or one stem that is missing$"),
    ],
)
def test_stems_that_cannot_be_imputed_are_refused(given, targets, words):
    with pytest.raises(ValueError, match=words):
        check_imputation(("bass", "drums"), given, targets, in_part=False)


def test_blocks_become_one_array_of_single_precision():
    blocks = [
        StemBlock({"bass": np.full((2, 3), number)}, np.full((2, 3), 10.0 + number))
        for number in (1.0, 2.0)
    ]
    joined = concatenate(iter(blocks), with_mixture=True)
    assert {name: x.dtype for name, x in joined.items()} == dict.fromkeys(
        ("bass", "mixture"), np.float32
    )
    np.testing.assert_array_equal(joined["bass"][0], [1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(joined["mixture"][1], [11, 11, 11, 12, 12, 12])
    assert list(concatenate(iter(blocks), with_mixture=False)) == ["bass"]


def test_one_axis_in_is_one_axis_out():
    stems = {"bass": music(10)}
    assert flatten_like([music(10)[0]], stems)["bass"].shape == (10,)
    assert flatten_like([music(10)], stems)["bass"].shape == (1, 10)
    assert flatten_like(["song.wav"], stems)["bass"].shape == (1, 10)
    assert flatten_like([music(10)[0], music(10)], stems)["bass"].shape == (1, 10)


def test_a_given_stem_may_be_imputed_in_part():
    check_imputation(("bass", "drums"), ("bass",), ("bass",), in_part=True)
    with pytest.raises(ValueError, match="got kazoo"):
        check_imputation(("bass", "drums"), ("bass",), ("kazoo",), in_part=True)


@pytest.mark.parametrize(("given", "words"), [(("kazoo",), "got kazoo"), ((), "at least one")])
def test_given_stems_are_those_of_the_model(given, words):
    check_given(("bass", "drums"), ("drums",))
    with pytest.raises(ValueError, match=words):
        check_given(("bass", "drums"), given)
