import tracemalloc

import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.source import ArraySource
from msdm_cli.page.outline import COLUMNS, LOWEST_HZ, ROWS, outline, sum_bands

RATE = 22050


def sine(hz, frames, rate=RATE, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * hz * np.arange(frames) / rate)


@pytest.mark.parametrize("frames", [1, 50, 1000, 40_000, 200_001])
def test_columns_are_those_of_the_whole_array(frames):
    samples = music(frames, 2)
    found = outline(ArraySource(samples, RATE))
    columns = len(found.rms)
    assert columns == max(1, min(COLUMNS, frames // 64))
    starts = np.arange(columns) * frames // columns
    for index, (start, stop) in enumerate(zip(starts, [*starts[1:], frames], strict=True)):
        part = samples[:, start:stop]
        assert found.lowest[index] == part.min()
        assert found.highest[index] == part.max()
        assert found.rms[index] == pytest.approx(np.sqrt(np.square(part).mean()), rel=1e-5)
    assert found.peak == np.abs(samples).max()


@pytest.mark.parametrize(("hz", "rate"), [(60, 44100), (440, 22050), (5000, 44100)])
def test_a_sine_has_its_power_in_its_band(hz, rate):
    found = outline(ArraySource(sine(hz, 4 * rate, rate), rate))
    middle = found.power[:, found.power.shape[1] // 2]
    share = np.log(hz / LOWEST_HZ) / np.log(found.highest_hz / LOWEST_HZ)
    assert abs(np.argmax(middle) - share * ROWS) < 2
    # The window spreads the power of a sine over three bins: 1 + 2/4 of the middle one.
    assert 0.25 * 0.4 < middle.max() < 0.25 * 1.6


def test_an_event_lies_in_its_column_from_the_beginning_to_the_end():
    frames = 64 * COLUMNS
    for place in (0, frames // 3, frames - 1):
        samples = np.zeros(frames)
        samples[place] = 1
        loudest = outline(ArraySource(samples, RATE)).power.sum(0)
        # A window of 2048 samples reaches 16 columns to each side.
        assert abs(np.argmax(loudest) - place // 64) <= 16
        assert np.count_nonzero(loudest) <= 34


def test_bands_share_the_power_of_a_bin_by_its_width():
    power = np.array([[1.0, 2.0, 4.0, 8.0]])
    # Bin 2 reaches from 1.5 to 2.5: a quarter of it, and half of bin 3.
    np.testing.assert_allclose(sum_bands(power, np.array([2.25, 3.0])), [[(1 + 4) / 0.75]])
    wide = sum_bands(power, np.array([0.5, 2.0, 3.5]))
    np.testing.assert_allclose(wide, [[2 + 2, 2 + 8]])


class Endless:
    """An hour of noise that is never in memory as a whole."""

    name = "endless"

    def __init__(self, frames):
        self.tags = {}
        template = ArraySource(music(RATE), RATE)
        self.properties = template.properties.__class__(RATE, 1, frames, "PCM_16")

    def open(self):
        source = self

        class Reader:
            properties = source.properties

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def read(self, frames):
                return np.full((1, frames), 0.1, np.float32)

        return Reader()


def test_memory_does_not_grow_with_the_sound():
    peaks = []
    for frames in (1 << 21, 1 << 23):
        tracemalloc.start()
        outline(Endless(frames))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
