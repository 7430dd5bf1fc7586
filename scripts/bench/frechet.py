"""How far generated mixtures lie from true ones, in the embeddings of a published network.

    pip install librosa scipy; pip install --no-deps musicnn==0.1.0
    msdm generate --variations 250 --seconds 12 -o GENERATED
    python -m scripts.bench.frechet SONGS GENERATED

A Frechet distance depends on the number of windows, so all sets have the same. Two halves of the
songs give the floor, white noise the other end.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray

from scripts.bench.music_figures import frechet_distance
from scripts.bench.musicnn import Musicnn
from scripts.bench.report import OutputOption, Report
from scripts.songs import SAMPLE_RATE_HZ, list_songs, load_middle

ENOUGH = 1000
"""Windows that a covariance of 200 numbers needs."""

WINDOW_SECONDS = 3.0

Embeddings = NDArray[np.float64]


def embed_songs(network: Musicnn, songs: list[Path], seconds: float) -> Embeddings:
    """Windows of the middle of songs, ``-> [windows, 200]``."""
    mixtures = (load_middle(song, seconds).sum(0) for song in songs)
    return np.concatenate([network.embed(x, SAMPLE_RATE_HZ) for x in mixtures]).astype(np.float64)


def embed_mixtures(network: Musicnn, folder: Path) -> Embeddings:
    """Windows of all generated mixtures in a folder, ``-> [windows, 200]``.

    Raises:
        ValueError: There are none.
    """
    found = []
    for path in sorted(folder.rglob("mixture.*")):
        mixture, rate = soundfile.read(path, dtype="float32", always_2d=True)
        found.append(network.embed(mixture.mean(1), rate))
    if not found:
        raise ValueError(f"{folder}: no mixtures; run msdm generate -o {folder}")
    return np.concatenate(found).astype(np.float64)


def embed_noise(network: Musicnn, windows: int) -> Embeddings:
    """White noise, ``-> [windows, 200]``."""
    length = round((windows + 1) * WINDOW_SECONDS * SAMPLE_RATE_HZ)
    noise = 0.1 * np.random.default_rng(0).standard_normal(length, np.float32)
    return network.embed(noise, SAMPLE_RATE_HZ)[:windows].astype(np.float64)


def spread_out(embeddings: Embeddings, count: int) -> Embeddings:
    """So many of them, evenly spaced, ``[windows, 200] -> [count, 200]``."""
    return embeddings[np.linspace(0, len(embeddings) - 1, count).round().astype(int)]


def main(
    songs: Annotated[Path, typer.Argument(help="True songs in the layout of Slakh.")],
    generated: Annotated[Path, typer.Argument(help="Folder with generated mixtures.")],
    *,
    seconds: Annotated[float, typer.Option(help="So much of the middle of a song.")] = 120.0,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    network = Musicnn()
    found = list_songs(songs)
    truth, others = (embed_songs(network, half, seconds) for half in (found[::2], found[1::2]))
    sets = {"other true songs": others, "generated": embed_mixtures(network, generated)}
    count = min(len(embeddings) for embeddings in (truth, *sets.values()))
    sets["white noise"] = embed_noise(network, count)
    report = Report(
        f"musicnn-FD to {(len(found) + 1) // 2} true songs, {count} windows of "
        f"{WINDOW_SECONDS:g} s each, by `python -m scripts.bench.frechet`.",
        "Not comparable with published FAD, nor with other numbers of windows.",
    )
    if count < ENOUGH:
        report.write(f"Fewer than {ENOUGH} windows: distances are too large.")
    report.begin_table("mixtures", "distance")
    for name, embeddings in sets.items():
        distance = frechet_distance(spread_out(embeddings, count), spread_out(truth, count))
        report.row(name, f"{distance:.1f}")
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
