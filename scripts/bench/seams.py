"""Whether the joins of chunks can be told from any other place of a song.

    python scripts/bench/seams.py SONG

At both ends of every cross-fade, two figures are compared with those of random places within a second: the largest
second difference (a click) and the change of the short-time spectrum (a change of timbre). If joins are like any
other place, their ranks among the others are uniform: 0.5 on average.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray

from msdm_cli.audio.resample import resampled_length
from msdm_cli.backends.runtime import Runtime
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.models.load import load_model
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.separate import SeparateOptions, plan_chunks, separate_song

FRAME = 1024
PLACES = 200


def click(x: NDArray[np.float64], place: int) -> float:
    """Largest second difference within 64 samples of a place, in dB."""
    return float(20 * np.log10(np.abs(np.diff(x[place - 64 : place + 64], 2)).max() + 1e-9))


def spectral_change(x: NDArray[np.float64], place: int) -> float:
    """Distance of the log spectra before and after a place, in dB."""
    window = np.hanning(FRAME)
    before, after = (
        np.abs(np.fft.rfft(x[start : start + FRAME] * window)) for start in (place - FRAME, place)
    )
    return float(np.sqrt(np.square(20 * np.log10((after + 1e-4) / (before + 1e-4))).mean()))


def main(
    song: Annotated[Path, typer.Argument(help="A song of at least half a minute.")],
    quality: str = "default",
    duration: float = 60.0,
) -> None:
    """Print the mean rank of the joins for each stem and figure."""
    model, rng = load_model("embedded", Runtime(device="cpu")), np.random.default_rng(0)
    preset = model.spec.preset("separate", quality)
    options = SeparateOptions(
        preset, 0, duration_seconds=duration, output=OutputOptions(subtype="FLOAT")
    )
    with tempfile.TemporaryDirectory() as folder:
        done = separate_song(model, song, Path(folder), options, SilentProgress())
        stems = {
            name: soundfile.read(path, always_2d=True)[0][:, 0] for name, path in done.files.items()
        }
    rate = done.properties.sample_rate
    scale = rate / model.spec.sample_rate
    total = resampled_length(done.properties.frames, rate, model.spec.sample_rate)
    chunks = plan_chunks(model, total, options.overlap).chunks()
    edges = [chunk.core_start for chunk in chunks[1:]] + [chunk.core_stop for chunk in chunks[:-1]]
    joins = [round(edge * scale) for edge in edges]
    print(
        f"{song.name}: {len(joins)} ends of cross-fades; uniform is 0.50 +- {(12 * len(joins)) ** -0.5:.2f}"
    )
    for name, stem in stems.items():
        for figure in (click, spectral_change):
            ranks = []
            for join in joins:
                places = join + rng.integers(-rate, rate, PLACES)
                others = [
                    figure(stem, place) for place in places if FRAME < place < len(stem) - FRAME
                ]
                ranks.append(float(np.mean(np.array(others) < figure(stem, join))))
            print(
                f"{name:8} {figure.__name__:16} mean rank {np.mean(ranks):.2f}, worst {max(ranks):.2f}"
            )


if __name__ == "__main__":
    typer.run(main)
