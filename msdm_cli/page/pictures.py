"""Pictures of sounds, in one colour each, on any background."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from msdm_cli.page.outline import Outline
from msdm_cli.page.png import Colour, write_png

WAVE_ROWS = 96
SHADES = 16
"""Of a spectrogram: from nothing to full colour."""
RANGE_DB = 66.0
"""From the loudest to what is not seen."""
BODY = 2
EDGE = 1
SOFT = 110
"""Opacity of a waveform between its body (the RMS) and its edge (the peaks)."""

Rgb = tuple[int, int, int]


def draw_wave(shape: Outline, peak: float, colour: Rgb, share: float = 1.0) -> bytes:
    """A waveform as PNG.

    Args:
        shape: Of the sound.
        peak: What reaches the edge of the picture.
        colour: Red, green and blue.
        share: Part of the picture's width that the sound takes; the rest is empty.
    """
    scale = 1 / peak if peak else 0
    # Rows from the top, 1 to -1; the middle is always drawn, as a line of silence.
    heights = 1 - (np.arange(WAVE_ROWS) + 0.5) * 2 / WAVE_ROWS
    half = 1 / WAVE_ROWS
    pixels = np.zeros((WAVE_ROWS, len(shape.rms)), np.uint8)
    for kind, low, high in (
        (EDGE, shape.lowest, shape.highest),
        (BODY, -shape.rms, shape.rms),
    ):
        inside = heights[:, None] <= np.maximum(high * scale, half)
        inside &= heights[:, None] >= np.minimum(low * scale, -half)
        pixels[inside] = kind
    colours: list[Colour] = [(*colour, 0), (*colour, SOFT), (*colour, 255)]
    return write_png(_widen(pixels, share), colours)


def draw_spectrogram(shape: Outline, loudest: float, colour: Rgb, share: float = 1.0) -> bytes:
    """A spectrogram as PNG: low at the bottom, loud in full colour.

    Args:
        shape: Of the sound.
        loudest: The power that gets full colour.
        colour: Red, green and blue.
        share: Part of the picture's width that the sound takes; the rest is empty.
    """
    floor = 10 ** (-RANGE_DB / 10)
    relative = np.maximum(shape.power / loudest if loudest else shape.power * 0, floor)
    level = 1 + 10 * np.log10(relative) / RANGE_DB
    pixels = np.minimum(level * SHADES, SHADES - 1).astype(np.uint8)[::-1]
    return write_png(_widen(pixels, share), shade(colour))


def shade(colour: Rgb) -> Sequence[Colour]:
    """The shades of a colour, from nothing to full."""
    opacities: NDArray[np.float64] = np.linspace(0, 1, SHADES) ** 1.3
    return [(*colour, round(255 * opacity)) for opacity in opacities]


def _widen(pixels: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """A picture with empty columns on the right, so that it fills a part of the width."""
    columns = pixels.shape[1]
    return np.pad(pixels, ((0, 0), (0, round(columns / share) - columns)))
