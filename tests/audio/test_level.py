import math

import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.level import LevelMeter, fit_level


def test_the_level_is_that_of_all_samples():
    samples = music(200_000, 2)
    rms = math.sqrt(np.square(samples.astype(np.float64)).mean())
    meter = LevelMeter()
    for block in np.split(samples, (70_000, 70_001), 1):
        meter.push(block)
    assert meter.rms == pytest.approx(rms, rel=1e-12)


def test_nothing_is_silent():
    assert LevelMeter().rms == 0


@pytest.mark.parametrize(
    ("rms_db", "gain"), [(-22, 1), (-20, 1), (-25, 1), (-28.1, 2), (-16, 0.5), (-82, 1024)]
)
def test_the_gain_is_the_nearest_power_of_two(rms_db, gain):
    assert fit_level(10 ** (rms_db / 20), -22.0) == gain


def test_silence_stays_silence():
    assert fit_level(0.0, -22.0) == 1
