import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.source import ArraySource, read_all
from msdm_cli.errors import UnsuitableAudio


def test_an_array_is_read_in_blocks():
    samples = music(1000, 2)
    source = ArraySource(samples, 8000)
    blocks = list(read_all(source, 300))
    assert [block.shape for block in blocks] == [(2, 300)] * 3 + [(2, 100)]
    np.testing.assert_array_equal(np.concatenate(blocks, 1), samples)
    assert (source.properties.seconds, source.properties.channels) == (0.125, 2)


def test_the_level_of_an_array():
    samples = music(200_000, 2)
    source = ArraySource(samples, 8000)
    source.look(level=True)
    assert source.rms == pytest.approx(np.sqrt(np.square(samples.astype(float)).mean()), rel=1e-12)


def test_one_axis_is_one_channel():
    assert ArraySource(music(1000)[0], 8000).samples.shape == (1, 1000)


def test_an_array_can_be_opened_again():
    source = ArraySource(music(1000), 8000)
    first = np.concatenate(list(read_all(source, 400)), 1)
    np.testing.assert_array_equal(np.concatenate(list(read_all(source, 400)), 1), first)


def test_a_later_change_of_the_array_changes_nothing():
    samples = music(1000).astype(np.float32)
    source = ArraySource(samples, 8000)
    digest = source.digest()
    samples[:] = 0
    assert source.samples.any()
    assert source.digest() == digest


def test_the_digest_tells_rates_shapes_and_samples_apart():
    samples = music(1000)
    sources = [
        ArraySource(samples, 8000),
        ArraySource(samples, 8001),
        ArraySource(samples.reshape(2, 500), 8000),
        ArraySource(samples * 0.5, 8000),
    ]
    assert len({source.digest() for source in sources}) == 4


@pytest.mark.parametrize("shape", [(2, 3, 4), (257, 2), (22050, 2), ()])
def test_other_shapes_are_refused(shape):
    if shape:
        with pytest.raises(ValueError, match=r"expected samples \[C, T\]"):
            ArraySource(np.zeros(shape), 8000)
    else:
        assert ArraySource(np.zeros(shape), 8000).properties.frames == 1


def test_nothing_and_nan_are_refused():
    with pytest.raises(UnsuitableAudio, match="no samples"):
        ArraySource(np.zeros((2, 0)), 8000)
    with pytest.raises(UnsuitableAudio, match="NaN"):
        ArraySource(np.array([0.0, np.nan]), 8000)
    for rate in (0, 44100.5):
        with pytest.raises(ValueError, match="expected a rate"):
            ArraySource(np.zeros(3), rate)


@pytest.mark.parametrize("kind", [np.int16, np.int32, bool, complex])
def test_integers_have_another_full_scale_and_are_refused(kind):
    with pytest.raises(ValueError, match="expected floats, full scale 1"):
        ArraySource(np.ones(100, kind), 8000)
