"""Draw a song and the stems that the embedded model makes of it.

    python -m scripts.bench.spectrograms tests/data/song.flac scripts/bench/spectrograms.png

All panels have one range, from the loudest point of the song down by 60 dB.
"""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.stft import Stft
from msdm_cli.interface import load_model

RANGE_DB = 60.0
N_FFT = 4096
HOP = 512
ROWS = 192
LOWEST_HZ = 40.0
TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000)
PANEL_INCHES = (4.1, 1.8)
DOTS_PER_INCH = 100
COLOURS = 64
"""Of the image file: as many as can be told apart."""


def list_frequencies(sample_rate: int) -> NDArray[np.float64]:
    """Frequencies of the rows of a picture, evenly spaced in octaves."""
    return np.geomspace(LOWEST_HZ, sample_rate / 2, ROWS)


def measure_levels(sound: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Spectrogram in dB over frequencies in octaves, ``[C, T] -> [ROWS, frames]``."""
    mono = sound.mean(0)
    padded = np.pad(mono, (0, -len(mono) % HOP))
    power = np.square(np.abs(Stft(N_FFT, HOP)(padded)))
    bins = np.fft.rfftfreq(N_FFT, 1 / sample_rate)
    rows = list_frequencies(sample_rate)
    picture = np.stack([np.interp(rows, bins, frame) for frame in power], 1)
    levels: NDArray[np.float64] = 10 * np.log10(picture + 1e-12)
    return levels


def draw_panel(panel: Axes, title: str, levels: Samples, seconds: float, top_db: float) -> None:
    """Draw a spectrogram."""
    panel.imshow(
        levels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=top_db - RANGE_DB,
        vmax=top_db,
        extent=(0, seconds, 0, ROWS),
    )
    panel.set_title(title, loc="left")
    panel.set_ylabel("Hz")


def draw(sounds: Mapping[str, Samples], sample_rate: int) -> Figure:
    """The first sound over the whole width, the others below it, two in a row."""
    (first, *others) = sounds
    width, height = PANEL_INCHES
    rows = 1 + -(-len(others) // 2)
    figure = Figure(figsize=(2 * width, rows * height), layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    places = [grid[0, :], *(grid[1 + index // 2, index % 2] for index in range(len(others)))]
    seconds = sounds[first].shape[1] / sample_rate
    top_db = float(measure_levels(sounds[first], sample_rate).max())
    # Where the ticks are among the rows.
    octaves = np.log(list_frequencies(sample_rate))
    ticks = np.interp(np.log(TICKS_HZ), octaves, np.arange(ROWS))
    for place, (title, sound) in zip(places, sounds.items(), strict=True):
        panel = figure.add_subplot(place)
        draw_panel(panel, title, measure_levels(sound, sample_rate), seconds, top_db)
        panel.set_yticks(ticks, [f"{hz:,}" for hz in TICKS_HZ])
    for panel in figure.axes[-2:]:
        panel.set_xlabel("seconds")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a picture as PNG with few colours, which takes a quarter of the bytes."""
    whole = BytesIO()
    figure.savefig(whole, dpi=DOTS_PER_INCH)
    with Image.open(whole) as image:
        image.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main(
    song: Annotated[Path, typer.Argument(help="A sound file.")],
    picture: Annotated[Path, typer.Argument(help="The image that is written.")],
    *,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "default",
) -> None:
    """Separate the song, and draw the picture."""
    samples, sample_rate = soundfile.read(song, dtype="float32", always_2d=True)
    stems = load_model(device="cpu").separate(samples.T, sample_rate, quality=quality)
    save(draw({"the song": samples.T, **stems}, sample_rate), picture)


if __name__ == "__main__":
    typer.run(main)
