import numpy as np
import pytest

from msdm_cli.audio.channel_order import from_vorbis, sndfile_map, to_vorbis

WAV = {
    3: ["FL", "FR", "FC"],
    5: ["FL", "FR", "FC", "BL", "BR"],
    6: ["FL", "FR", "FC", "LFE", "BL", "BR"],
    7: ["FL", "FR", "FC", "LFE", "BC", "SL", "SR"],
    8: ["FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"],
}
VORBIS = {  # Vorbis I specification, section 4.3.9
    3: ["FL", "FC", "FR"],
    5: ["FL", "FC", "FR", "BL", "BR"],
    6: ["FL", "FC", "FR", "BL", "BR", "LFE"],
    7: ["FL", "FC", "FR", "SL", "SR", "BC", "LFE"],
    8: ["FL", "FC", "FR", "SL", "SR", "BL", "BR", "LFE"],
}


@pytest.mark.parametrize("channels", [3, 5, 6, 7, 8])
def test_the_order_is_that_of_the_specification(channels):
    numbers = np.arange(channels, dtype=np.float32)[:, None]
    names = [WAV[channels][int(number)] for number in to_vorbis(numbers)[:, 0]]
    assert names == VORBIS[channels]


@pytest.mark.parametrize("channels", range(1, 11))
def test_there_and_back_is_nothing(channels):
    numbers = np.arange(channels, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(from_vorbis(to_vorbis(numbers)), numbers)


def test_known_channels_have_numbers():
    assert sndfile_map(("FL", "FR", "FC", "LFE", "BL", "BR")) == [5, 6, 7, 11, 9, 10]
    assert sndfile_map(("FL", "FR")) is None
    assert sndfile_map(("FL", "FR", "TFL")) is None
    assert sndfile_map(()) is None
