"""Generated takes beside true songs: rests and pulse of stems, and how far the mixtures lie apart.

    pip install librosa scipy; pip install --no-deps musicnn==0.1.0
    msdm generate --variations 250 --seconds 12 -o GENERATED
    python -m scripts.bench.takes SONGS GENERATED

Mixtures are compared in the embeddings of a published network. A Frechet distance depends on the
number of windows, so all sets have the same. Two halves of the songs give the floor, white noise
the other end.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from scripts.bench.music_figures import frechet_distance, measure_pulse, measure_silence
from scripts.bench.musicnn import Musicnn
from scripts.bench.report import OutputOption, Report
from scripts.songs import SAMPLE_RATE_HZ, STEMS, list_songs, load_middle

ENOUGH = 1000
"""Windows that a covariance of 200 numbers needs."""

WINDOW_SECONDS = 3.0

Embeddings = NDArray[np.float64]


def list_mixtures(folder: Path) -> list[Path]:
    """The mixtures of all takes in a folder.

    Raises:
        ValueError: There are none.
    """
    found = sorted(folder.rglob("mixture.*"))
    if not found:
        raise ValueError(f"{folder}: no mixtures; run msdm generate -o {folder}")
    return found


def load_takes(folder: Path) -> list[Samples]:
    """The stems of all takes in a folder, in mono, ``[S, T]`` each."""
    return [
        np.stack(
            [
                soundfile.read(path.with_stem(stem), dtype="float32", always_2d=True)[0].mean(1)
                for stem in STEMS
            ]
        )
        for path in list_mixtures(folder)
    ]


def cut_songs(songs: list[Path], seconds: float, length: int) -> list[Samples]:
    """Parts as long as a take, side by side in the middle of songs, ``[S, length]`` each."""
    parts = []
    for song in songs:
        stems = load_middle(song, seconds)
        parts += [stems[:, i : i + length] for i in range(0, stems.shape[1] - length + 1, length)]
    return parts


def compare(
    measure: Callable[[Samples], float], takes: list[Samples], parts: list[Samples], stem: int
) -> tuple[str, str]:
    """Mean of a figure of a stem in takes, with its standard error, and that in true songs."""
    made, true = (np.array([measure(x[stem]) for x in sounds]) for sounds in (takes, parts))
    return f"{made.mean():.2f} ± {made.std() / len(made) ** 0.5:.2f}", f"{true.mean():.2f}"


def add_stems(report: Report, takes: list[Samples], parts: list[Samples]) -> None:
    """Add the table of stems."""
    report.write(
        f"Stems of the takes (mean and its standard error), and of {len(parts)} parts of songs, "
        "each as long as a take. Silence: share of frames below -50 dB of full scale. Pulse: "
        "autocorrelation of onset strength at the best beat."
    )
    report.begin_table("stem", "silence", "of true stems", "pulse", "of true stems")
    for index, name in enumerate(STEMS):
        silence = compare(measure_silence, takes, parts, index)
        report.row(name, *silence, *compare(measure_pulse, takes, parts, index))


def add_distances(report: Report, songs: list[Path], generated: Path, seconds: float) -> None:
    """Add the table of mixtures."""
    network = Musicnn()
    truth, others = (embed_songs(network, half, seconds) for half in (songs[::2], songs[1::2]))
    sets = {"other true songs": others, "generated": embed_mixtures(network, generated)}
    count = min(len(embeddings) for embeddings in (truth, *sets.values()))
    sets["white noise"] = embed_noise(network, count)
    report.write(
        f"musicnn-FD to {(len(songs) + 1) // 2} of these songs, {count} windows of "
        f"{WINDOW_SECONDS:g} s each. Not comparable with published FAD, nor with other numbers of "
        "windows."
    )
    if count < ENOUGH:
        report.write(f"Fewer than {ENOUGH} windows: distances are too large.")
    report.begin_table("mixtures", "distance")
    for name, embeddings in sets.items():
        distance = frechet_distance(spread_out(embeddings, count), spread_out(truth, count))
        report.row(name, f"{distance:.1f}")


def embed_songs(network: Musicnn, songs: list[Path], seconds: float) -> Embeddings:
    """Windows of the middle of songs, ``-> [windows, 200]``."""
    mixtures = (load_middle(song, seconds).sum(0) for song in songs)
    return np.concatenate([network.embed(x, SAMPLE_RATE_HZ) for x in mixtures]).astype(np.float64)


def embed_mixtures(network: Musicnn, folder: Path) -> Embeddings:
    """Windows of all generated mixtures in a folder, ``-> [windows, 200]``."""
    found = []
    for path in list_mixtures(folder):
        mixture, rate = soundfile.read(path, dtype="float32", always_2d=True)
        found.append(network.embed(mixture.mean(1), rate))
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
    generated: Annotated[Path, typer.Argument(help="Folder with generated takes.")],
    *,
    seconds: Annotated[float, typer.Option(help="So much of the middle of a song.")] = 120.0,
    output: OutputOption = None,
) -> None:
    """Print the tables."""
    found = list_songs(songs)
    takes = load_takes(generated)
    report = Report(
        f"{len(takes)} generated takes and {len(found)} true songs, by "
        "`python -m scripts.bench.takes`."
    )
    add_stems(report, takes, cut_songs(found, seconds, takes[0].shape[1]))
    add_distances(report, found, generated, seconds)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
