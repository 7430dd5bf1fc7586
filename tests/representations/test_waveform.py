import numpy as np

from msdm_cli.representations import REPRESENTATIONS


def test_the_waveform_is_the_sound_itself():
    x = np.random.default_rng(0).standard_normal((2, 3, 16), np.float32)
    waveform = REPRESENTATIONS["waveform"]
    assert waveform.encode(x) is x
    assert waveform.decode(waveform.encode(x)) is x
