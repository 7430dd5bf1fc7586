"""How far from its own edges a network is wrong: what the context of a chunk must cover.

    python -m scripts.bench.edges DATA/validation --output scripts/bench/edges.md

Each song is separated by two windows that meet in its middle, and by one that spans both. Where the
former end or begin, the latter is far from its edges: the difference is the error of an edge. It
levels off where the rest is due to what a window hears of the song (group norms and attention see
all of it).
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import Model, load_model
from scripts.bench.report import OutputOption, Report
from scripts.songs import list_songs, load_middle

BLOCK = 1024
BLOCKS = 32
REACH = BLOCK * BLOCKS


def separate(model: Model, mixture: Samples) -> Samples:
    """Stems of a window in one call, ``[T] -> [S, T]``."""
    absent = np.zeros((1, len(model.spec.stems), len(mixture)), np.float32)
    sigma = np.full(absent.shape[:2], model.spec.sigma_max)
    return model.denoisers[0](absent, sigma, mixture[None])[0]


def pair_edges(model: Model, mixture: Samples) -> list[tuple[Samples, Samples]]:
    """What is at an edge and what is right there, outwards from the edge, ``[S, REACH]``.

    The first pair is at the end of a window, the second at the beginning of one.
    """
    length = len(mixture) // 2
    first = separate(model, mixture[:length])
    second = separate(model, mixture[length:])
    half = length // 2
    # It begins in the middle of the first window, and so ends in the middle of the second.
    spanning = separate(model, mixture[half : half + length])
    return [
        (first[:, : -REACH - 1 : -1], spanning[:, length - half - REACH : length - half][:, ::-1]),
        (second[:, :REACH], spanning[:, length - half : length - half + REACH]),
    ]


def sum_squares(x: Samples) -> NDArray[np.float64]:
    """Energy in each block, ``[S, REACH] -> [BLOCKS]``."""
    squares: NDArray[np.float64] = np.square(x).reshape(len(x), BLOCKS, BLOCK).sum((0, 2))
    return squares


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    limit: Annotated[int, typer.Option(help="Only so many songs.")] = 6,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_model(device="cpu")
    rate = model.spec.sample_rate
    length = model.spec.chunk_length
    error = np.zeros((2, BLOCKS))
    energy = np.zeros((2, BLOCKS))
    folders = list_songs(songs)[:limit]
    for folder in folders:
        mixture = load_middle(folder, length / rate).sum(0)[:length]
        for side, (edge, inside) in enumerate(pair_edges(model, mixture)):
            error[side] += sum_squares(edge - inside)
            energy[side] += sum_squares(inside)
    context_ms = 1000 * model.spec.context / rate
    report = Report(
        "Error that the edge of a chunk causes, in dB relative to the stems, by distance from the "
        f"edge: {len(folders)} songs, by `python -m scripts.bench.edges`. The context of the model "
        f"is {model.spec.context} samples ({context_ms:.0f} ms)."
    )
    report.begin_table("distance, ms", "before an end, dB", "after a beginning, dB")
    decibels = 10 * np.log10(error / energy)
    for block in range(0, BLOCKS, 2):
        distance_ms = 1000 * block * BLOCK / rate
        report.row(f"{distance_ms:.0f}", *(f"{value:.1f}" for value in decibels[:, block]))
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
