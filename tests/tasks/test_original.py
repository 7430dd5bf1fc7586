import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.source import ArraySource
from msdm_cli.tasks.original import Original, count_fade

RATE = 22050


def open_original(samples, rate=RATE):
    return Original(ArraySource(samples, RATE).open(), rate)


def test_it_is_read_as_it_is_while_the_network_hears_it():
    stereo = music(5000, 2)
    original = open_original(stereo)
    heard = [original.hear(start, start + 1500) for start in (0, 1000, 4000)]
    np.testing.assert_array_equal(heard[1], stereo.mean(0)[1000:2500])
    np.testing.assert_array_equal(heard[2], np.pad(stereo.mean(0)[4000:], (0, 500)))
    parts = [original.read(2500), original.read(2500)]
    np.testing.assert_array_equal(np.concatenate(parts, 1), stereo)


@pytest.mark.parametrize("blocks", [(7000,), (5000, 2000), (4999, 2, 300, 1699)])
def test_after_its_end_it_comes_back_and_then_rests(blocks):
    stereo = music(5000, 2)
    original = open_original(stereo)
    read = np.concatenate([original.read(frames) for frames in blocks], 1)
    fade = count_fade(RATE)
    back = stereo[:, ::-1][:, :fade]
    np.testing.assert_array_equal(read[:, :5000], stereo)
    np.testing.assert_array_equal(read[:, 5000 : 5000 + fade], back)
    assert not read[:, 5000 + fade :].any()


def test_a_stem_that_is_shorter_than_a_fade_comes_back_as_far_as_it_goes():
    short = music(10)
    read = open_original(short).read(30)
    np.testing.assert_array_equal(read, np.concatenate((short, short[:, ::-1], 0 * short), 1))


def test_what_is_skipped_is_not_held_and_not_lost():
    long = music(200_000)
    original = open_original(long)
    original.skip(-5)
    original.skip(150_000)
    assert original._windows._held.shape[1] < 100_000
    np.testing.assert_array_equal(original.hear(150_000, 150_100), long[0, 150_000:150_100])
    np.testing.assert_array_equal(original.read(200_000), long)


def test_its_place_between_the_channels_is_that_of_its_beginning():
    mono = music(6000)[0]
    panned = np.stack([1.5 * mono, 0.5 * mono])
    panned[:, 4000:] = panned[::-1, 4000:]
    original = Original(ArraySource(panned, RATE).open(), RATE, panned=4000)
    np.testing.assert_array_equal(original.pan, (1, 1))
    for frames in (100, 3000, 2000, 900):
        original.read(frames)
        np.testing.assert_allclose(original.pan, (1.5, 0.5), atol=1e-3)


def test_what_cancels_in_the_mean_has_no_place():
    mono = music(1000)[0]
    original = Original(ArraySource(np.stack([mono, -mono]), RATE).open(), RATE, panned=1000)
    original.read(1000)
    np.testing.assert_array_equal(original.pan, (1, 1))
    wide = np.stack([mono, -0.9 * mono])
    original = Original(ArraySource(wide, RATE).open(), RATE, panned=1000)
    original.read(1000)
    assert (original.pan >= 0).all()
    assert (original.pan <= 2).all()
