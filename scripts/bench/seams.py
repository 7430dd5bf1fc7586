"""Whether the joins of chunks can be told from any other place of a song.

    python -m scripts.bench.seams SONG

At both ends of every cross-fade, two figures are compared with those of random places within a
second: the largest second difference (a click) and the change of the short-time spectrum (a change
of timbre). If joins are like any other place, their ranks among the others are uniform: 0.5 on
average.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray

from msdm_cli.audio.source import ArraySource
from msdm_cli.interface import Model, load_model
from msdm_cli.tasks.separate import SONG, SeparateOptions, plan
from scripts.bench.report import OutputOption, Report

FRAME = 1024
CLICK_SAMPLES = 64
PLACES = 200

Signal = NDArray[np.float32]
Figure = Callable[[Signal, int], float]


def measure_click(x: Signal, place: int) -> float:
    """Largest second difference within 64 samples of a place, in dB."""
    near = x[place - CLICK_SAMPLES : place + CLICK_SAMPLES]
    return float(20 * np.log10(np.abs(np.diff(near, 2)).max() + 1e-9))


def measure_change(x: Signal, place: int) -> float:
    """Distance of the log spectra before and after a place, in dB."""
    window = np.hanning(FRAME)
    before = np.abs(np.fft.rfft(x[place - FRAME : place] * window))
    after = np.abs(np.fft.rfft(x[place : place + FRAME] * window))
    ratio_db = 20 * np.log10((after + 1e-4) / (before + 1e-4))
    return float(np.sqrt(np.square(ratio_db).mean()))


FIGURES: dict[str, Figure] = {"click": measure_click, "change of timbre": measure_change}


def list_edges(model: Model, song: ArraySource, options: SeparateOptions) -> list[int]:
    """Where cross-fades begin and end, in samples of the song."""
    chunks = list(plan(model, {SONG: song}, options).chunks)
    edges = [chunk.core_start for chunk in chunks[1:]] + [chunk.core_stop for chunk in chunks[:-1]]
    scale = song.properties.sample_rate / model.spec.sample_rate
    return [round(edge * scale) for edge in edges]


def rank(stem: Signal, place: int, figure: Figure, rate: int, rng: np.random.Generator) -> float:
    """Share of the places within a second whose figure is lower."""
    places = place + rng.integers(-rate, rate, PLACES)
    others = [figure(stem, other) for other in places if FRAME < other < len(stem) - FRAME]
    return float(np.mean(np.array(others) < figure(stem, place)))


def main(
    path: Annotated[Path, typer.Argument(metavar="SONG", help="Of at least half a minute.")],
    *,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "default",
    seconds: Annotated[float, typer.Option(help="From the beginning of the song.")] = 60.0,
    output: OutputOption = None,
) -> None:
    """Print the mean rank of the joins for each stem and figure."""
    model = load_model(device="cpu")
    rng = np.random.default_rng(0)
    rate = soundfile.info(path).samplerate
    samples = soundfile.read(path, round(seconds * rate), dtype="float32", always_2d=True)[0].T
    options = SeparateOptions(model.spec.preset("separate", quality))
    edges = list_edges(model, ArraySource(samples, rate), options)
    stems = model.separate(samples, rate, quality=quality)
    deviation = (12 * max(1, len(edges))) ** -0.5
    report = Report(
        f"Ranks of {len(edges)} ends of cross-fades of {path.name} among places near them, at "
        f"`{quality}`, by `python -m scripts.bench.seams`; uniform is 0.50 +- {deviation:.2f}."
    )
    report.begin_table("stem", "figure", "mean rank", "highest rank")
    for name, stem in stems.items():
        for title, figure in FIGURES.items():
            ranks = [rank(stem[0], edge, figure, rate, rng) for edge in edges]
            report.row(name, title, f"{np.mean(ranks):.2f}", f"{max(ranks):.2f}")
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
