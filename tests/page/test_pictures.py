import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.source import ArraySource
from msdm_cli.page import pictures
from msdm_cli.page.outline import outline

BLUE = (0, 0, 255)


@pytest.fixture
def drawn(monkeypatch):
    """What would be written: pixels and colours."""
    monkeypatch.setattr(pictures, "write_png", lambda pixels, colours: (pixels, colours))


@pytest.mark.usefixtures("drawn")
def test_a_waveform_reaches_the_edge_at_the_peak_and_is_a_line_in_silence():
    loud = outline(ArraySource(np.sin(np.arange(100_000) * 0.1), 8000))
    pixels, colours = pictures.draw_wave(loud, 1.0, BLUE)
    assert colours[0] == (*BLUE, 0)
    assert (pixels[:, 5] > 0).mean() > 0.95
    assert (pixels[:, 5] == pictures.BODY).mean() == pytest.approx(np.sqrt(0.5), abs=0.05)
    silent = outline(ArraySource(np.zeros(100_000), 8000))
    pixels, _ = pictures.draw_wave(silent, 1.0, BLUE)
    np.testing.assert_array_equal((pixels > 0).sum(0), 2)


@pytest.mark.usefixtures("drawn")
def test_a_spectrogram_is_relative_to_the_loudest_and_has_its_lows_below():
    low = outline(ArraySource(np.sin(np.arange(100_000) * 2 * np.pi * 60 / 22050), 22050))
    pixels, colours = pictures.draw_spectrogram(low, float(low.power.max()), BLUE)
    assert len(colours) == pictures.SHADES
    assert pixels.max() == pictures.SHADES - 1
    assert pixels[60:].max(1).argmax() > 20
    softer, _ = pictures.draw_spectrogram(low, 1e9, BLUE)
    assert softer.max() == 0
    silence = outline(ArraySource(np.zeros(1000), 22050))
    assert pictures.draw_spectrogram(silence, 0.0, BLUE)[0].max() == 0


@pytest.mark.usefixtures("drawn")
def test_a_shorter_sound_takes_its_share_of_the_width():
    shape = outline(ArraySource(np.ones(100_000), 22050))
    for draw in (pictures.draw_wave, pictures.draw_spectrogram):
        whole, _ = draw(shape, 1.0, BLUE)
        half, _ = draw(shape, 1.0, BLUE, 0.5)
        assert half.shape[1] == 2 * whole.shape[1]
        assert not half[:, whole.shape[1] :].any()


def test_pictures_are_small():
    shape = outline(ArraySource(music(60 * 22050), 22050))
    wave = pictures.draw_wave(shape, shape.peak, BLUE)
    spectrogram = pictures.draw_spectrogram(shape, float(shape.power.max()), BLUE)
    # Noise hardly packs: 4 bits for each of 1600 x 112 pixels.
    assert len(wave) < 20_000
    assert len(spectrogram) < 90_000
