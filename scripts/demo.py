"""Compose and render the short stereo song that ships with the repository.

    python -m scripts.demo tests/data/song.flac

It is made of timbres that training never hears, and the stems are panned apart.
"""

from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray

from scripts.dataset.render import render_song
from scripts.dataset.score import SAMPLE_RATE_HZ

SECONDS = 16
PAN = (0.0, 0.0, -0.5, 0.5)
"""Position of bass, drums, guitar and piano, -1 left to 1 right."""
ACTIVE_RMS = 0.02


def busiest_part(stems: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The part of a song whose quietest stem is loudest; None if a stem rests.

    Shape:
        ``[S, T] -> [S, 16 s]``
    """
    length = SECONDS * SAMPLE_RATE_HZ
    starts = range(0, stems.shape[1] - length, SAMPLE_RATE_HZ)
    power = [np.square(stems[:, start : start + length]).mean(1) for start in starts]
    levels = [np.sqrt(stem_power).min() for stem_power in power]
    best = int(np.argmax(levels))
    return stems[:, starts[best] : starts[best] + length] if levels[best] > ACTIVE_RMS else None


def main(
    path: Annotated[Path, typer.Argument(help="The file to write.")],
    instruments: Path = Path("../shared/instruments"),
) -> None:
    """Write the first song of the demo's own random stream in which all four stems play."""
    for index in count():
        stems, metadata = render_song(f"demo/{index}", "validation", instruments)
        part = busiest_part(stems)
        if part is not None:
            break
    angles = (np.array(PAN) + 1) * np.pi / 4
    stereo = np.stack((np.cos(angles), np.sin(angles)), 1).T @ part
    fade = np.minimum(1, np.arange(SAMPLE_RATE_HZ // 10) / (SAMPLE_RATE_HZ // 10))
    stereo[:, : len(fade)] *= fade
    stereo[:, -len(fade) :] *= fade[::-1]
    soundfile.write(path, (0.9 * stereo / np.abs(stereo).max()).T, SAMPLE_RATE_HZ, subtype="PCM_16")
    print(f"{path}: song {index}, {metadata['style']}, {metadata['tempo']} bpm, {metadata['key']}")


if __name__ == "__main__":
    typer.run(main)
