"""What it is worth to turn stereo music, by where its stems lie.

    python -m scripts.bench.stereo WIDE/validation --output scripts/bench/stereo.md

Each song is mixed in stereo in several ways, and each mix is separated by the calls of a quality,
which hear the music as it is, or each turned by another angle (``msdm_cli.diffusion.turned``).
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.si_sdr import is_active, si_sdr
from scripts.bench.naming import list_windows
from scripts.bench.report import OutputOption, Report
from scripts.bench.separation import WeightsOption, by_model, load_separator
from scripts.songs import SAMPLE_RATE_HZ, list_songs, load_middle

DELAY_SECONDS = 0.02

Place = tuple[float, float]
"""Where the left and the right channel of a stem lie, from -1, left, to 1, right."""


def aim(place: float) -> Place:
    """A stem whose two channels lie at the same place."""
    return place, place


LEFT, CENTRE, RIGHT = aim(-1.0), aim(0.0), aim(1.0)
BOTH: Place = (-1.0, 1.0)
"""Left, and once more ``DELAY_SECONDS`` later right, like a part that was played twice."""

MIXES: Mapping[str, tuple[Place, Place, Place, Place]] = {
    "guitar and piano a third of the way to the sides": (CENTRE, CENTRE, aim(-1 / 3), aim(1 / 3)),
    "two thirds of the way": (CENTRE, CENTRE, aim(-2 / 3), aim(2 / 3)),
    "all the way": (CENTRE, CENTRE, LEFT, RIGHT),
    "guitar on both sides, piano in the centre": (CENTRE, CENTRE, BOTH, CENTRE),
    "bass and drums left, guitar right, piano in the centre": (LEFT, LEFT, RIGHT, CENTRE),
}
"""Places of bass, drums, guitar and piano."""


def place_stem(stem: Samples, place: Place) -> Samples:
    """A stem in stereo, ``[T] -> [2, T]``: as loud wherever it lies, 3 dB softer on both sides."""
    delay = round(DELAY_SECONDS * SAMPLE_RATE_HZ) if place[0] != place[1] else 0
    later = np.pad(stem, (delay, 0))[: len(stem)]
    panned = [
        np.outer((np.cos(angle), np.sin(angle)), part)
        for angle, part in zip(np.add(place, 1) * np.pi / 4, (stem, later), strict=True)
    ]
    return (np.sum(panned, 0) / 2).astype(np.float32)


def score_song(estimate: Samples, stems: Samples) -> list[list[float]]:
    """SI-SDRi of each stem where it sounds beside another, in dB, over both channels.

    Shape:
        ``[S, 2, T], [S, 2, T] -> [S][windows]``
    """
    scores: list[list[float]] = [[] for _ in stems]
    for window in list_windows(stems.shape[-1], SAMPLE_RATE_HZ):
        true, found = (part[..., window].reshape(len(stems), -1) for part in (stems, estimate))
        mixture = true.sum(0)
        sounding = is_active(true)
        if sounding.sum() < 2:
            continue
        for stem in np.flatnonzero(sounding):
            gain = si_sdr(found[stem], true[stem]) - si_sdr(mixture, true[stem])
            scores[stem].append(float(gain))
    return scores


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    weights: WeightsOption = None,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 12.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_separator(weights)
    folders = list_songs(songs)[:limit]
    presets = {
        quality: {
            heard: model.spec.preset("separate", quality).with_options({"turned": turned})
            for heard, turned in (("as it is", False), ("turned", True))
        }
        for quality in ("default", "best")
    }
    report = Report(
        f"{seconds:g} s of each of {len(folders)} songs, mixed in stereo in several ways, by "
        "`python -m scripts.bench.stereo`.",
        "SI-SDRi in dB over both channels, in the windows of 4 s in which a stem sounds beside "
        "another. The calls of a quality hear the music as it is, or each of them turned by "
        "another angle.",
    )
    report.begin_table("mix", "quality", "music", *model.spec.stems, "mean")
    for mix, places in MIXES.items():
        mixed = [
            np.stack([place_stem(*pair) for pair in zip(stems, places, strict=True)])
            for stems in (load_middle(folder, seconds) for folder in folders)
        ]
        for quality, variants in presets.items():
            for heard, preset in variants.items():
                separate = by_model(model, preset)
                scores = [score_song(separate(stems), stems) for stems in mixed]
                columns = [
                    np.mean(list(itertools.chain(*stem))) for stem in zip(*scores, strict=True)
                ]
                cells = [f"{column:.2f}" for column in (*columns, np.mean(columns))]
                report.row(mix, quality, heard, *cells)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
