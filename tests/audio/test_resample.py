import numpy as np
import pytest
import resampy
from conftest import music

from msdm_cli.audio import resample
from msdm_cli.audio.resample import FILTER, StreamResampler, resampled_length

ROUNDING = 1e-6


def stream(x, rate_in, rate_out, cuts, length=None):
    resampler = StreamResampler(rate_in, rate_out, len(x))
    parts = [resampler.push(part) for part in np.split(x, cuts, axis=1)]
    return np.concatenate([*parts, resampler.finish(length)], 1)


@pytest.mark.parametrize(
    ("rate_in", "rate_out"),
    [
        (44100, 22050),
        (48000, 22050),
        (22050, 44100),
        (22050, 48000),
        (8000, 22050),
        (11000, 22050),
        (44101, 22050),
    ],
)
def test_a_stream_is_the_whole_at_once(rate_in, rate_out):
    x = music(3 * rate_in + 17, 2, rate_in)
    found = stream(x, rate_in, rate_out, [5, 4000, 4001, 2 * rate_in])
    whole = resampy.resample(x, rate_in, rate_out, **FILTER)
    assert found.shape[1] == resampled_length(x.shape[1], rate_in, rate_out)
    shared = min(found.shape[1], whole.shape[1])
    np.testing.assert_allclose(found[:, :shared], whole[:, :shared], atol=ROUNDING)


def test_where_it_is_cut_does_not_matter():
    x = music(150_000, 1, 44100)
    one, other = stream(x, 44100, 22050, []), stream(x, 44100, 22050, [1, 70_000, 70_001, 149_999])
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("rates", [(44100, 22050), (44101, 22050), (22050, 48000)])
def test_signals_do_not_know_of_each_other(monkeypatch, rates):
    x = music(50_000, 5, rates[0])
    together = stream(x, *rates, [])
    monkeypatch.setattr(resample, "SIGNALS_AT_ONCE", 2)
    np.testing.assert_allclose(stream(x, *rates, []), together, atol=ROUNDING)


@pytest.mark.parametrize("length", [1, 2, 3, 1000])
def test_short_streams_have_the_length_of_the_formula(length):
    x = music(length, 1, 44100)
    assert stream(x, 44100, 22050, []).shape == (1, -(-length // 2))
    assert stream(x, 22050, 44100, [], length=2 * length - 1).shape == (1, 2 * length - 1)


def test_the_same_rate_changes_nothing():
    x = music(1000)
    np.testing.assert_array_equal(stream(x, 22050, 22050, [10]), x)


def test_down_and_up_keeps_the_band():
    time = np.arange(88200) / 44100
    x = np.sin(2 * np.pi * 3000 * time)[None].astype(np.float32)
    down = stream(x, 44100, 22050, [])
    back = stream(down, 22050, 44100, [], length=88200)
    inside = slice(2000, -2000)
    # kaiser_fast states a pass band within 0.01 dB well below the edge: an amplitude error of 0.12
    # %, twice.
    assert np.abs(back - x)[0, inside].max() < 3e-3
