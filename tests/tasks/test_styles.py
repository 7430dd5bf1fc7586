"""The styles, against the composer that the training songs are of."""

import pytest

from msdm_cli.tasks.controls import BEATS_PER_BAR, MAJOR_MODES, MINOR_MODES
from msdm_cli.tasks.styles import STYLES
from scripts.dataset.styles import STYLES as COMPOSED


@pytest.mark.parametrize("name", STYLES)
def test_a_style_has_tempos_a_meter_and_modes(name):
    style = STYLES[name]
    assert 40 <= style.tempos[0] < style.tempos[1] <= 240
    assert style.meter in BEATS_PER_BAR
    assert style.modes
    assert set(style.modes) <= {*MINOR_MODES, *MAJOR_MODES}


def test_they_are_those_of_the_training_songs_in_an_order_that_stays():
    """Their order is that of a network's inputs: a new one goes into a new network."""
    assert list(STYLES) == sorted(STYLES)
    assert len(STYLES) == 18
    assert STYLES.keys() == COMPOSED.keys()


@pytest.mark.parametrize("name", COMPOSED)
def test_usual_is_what_the_composer_does(name):
    composed = COMPOSED[name]
    assert STYLES[name].meter == composed.meter
