"""What it is worth to turn stereo music, by where its stems lie.

    python -m scripts.bench.stereo WIDE/validation --recording FOLDER --output stereo.md

Each song is mixed in stereo in several ways, and each mix is separated by the calls of a quality,
which hear the music as it is, or each turned by another angle (``msdm_cli.diffusion.turned``).
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.si_sdr import is_active, si_sdr
from msdm_cli.interface import Model
from scripts.bench.naming import list_windows
from scripts.bench.recordings import GUITAR, Recording, load_recording, to_model_rate
from scripts.bench.report import OutputOption, Report
from scripts.bench.separation import Separator, WeightsOption, by_model, load_separator
from scripts.songs import SAMPLE_RATE_HZ, list_songs, load_middle

DELAY_SECONDS = 0.02
RECORDED_SECONDS = 36.0

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


def list_separators(model: Model) -> Mapping[tuple[str, str], Separator]:
    """Ways to separate, by quality and by what the network hears."""
    return {
        (quality, heard): by_model(
            model, model.spec.preset("separate", quality).with_options({"turned": turned})
        )
        for quality in ("default", "best")
        for heard, turned in (("as it is", False), ("turned", True))
    }


def add_mixes(
    report: Report,
    names: Sequence[str],
    separators: Mapping[tuple[str, str], Separator],
    songs: Sequence[Samples],
) -> None:
    """Add the table of songs, ``[S, T]`` each, by mix."""
    report.begin_table("mix", "quality", "music", *names, "mean")
    for mix, places in MIXES.items():
        mixed = [
            np.stack([place_stem(*pair) for pair in zip(stems, places, strict=True)])
            for stems in songs
        ]
        for ways, separate in separators.items():
            scores = [score_song(separate(stems), stems) for stems in mixed]
            columns = [np.mean(list(itertools.chain(*stem))) for stem in zip(*scores, strict=True)]
            cells = [f"{column:.2f}" for column in (*columns, np.mean(columns))]
            report.row(mix, *ways, *cells)


def add_recordings(
    report: Report,
    guitar: int,
    separators: Mapping[tuple[str, str], Separator],
    recordings: Sequence[Recording],
) -> None:
    """Add the table of recordings, whose parts are a guitar and the rest."""
    report.begin_table("recording", *(f"{quality}, {heard}" for quality, heard in separators))
    for recording in recordings:
        parts = [to_model_rate(part, recording.sample_rate) for part in recording.parts]
        true = np.stack(parts)
        cells = []
        for separate in separators.values():
            found = separate(true)[guitar]
            scores = score_song(np.stack((found, true.sum(0) - found)), true)
            cells.append(f"{np.mean(scores[0]):.2f}")
        report.row(recording.name, *cells)


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    recordings: Annotated[
        list[Path] | None,
        typer.Option("--recording", help="Folder with guitar.ogg and song.ogg; may be repeated."),
    ] = None,
    weights: WeightsOption = None,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 12.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the tables."""
    model = load_separator(weights)
    names = model.spec.stems
    separators = list_separators(model)
    folders = list_songs(songs)[:limit]
    report = Report(
        f"{seconds:g} s of each of {len(folders)} songs, mixed in stereo in several ways, by "
        "`python -m scripts.bench.stereo`.",
        "SI-SDRi in dB over both channels, in the windows of 4 s in which a stem sounds beside "
        "another. The calls of a quality hear the music as it is, or each of them turned by "
        "another angle.",
    )
    stems = [load_middle(folder, seconds) for folder in folders]
    add_mixes(report, names, separators, stems)
    if recordings:
        report.write(
            f"A guitar in recordings that come with it, {RECORDED_SECONDS:g} s of each; their "
            "other guitars count as the rest:"
        )
        loaded = [load_recording(folder, RECORDED_SECONDS) for folder in recordings]
        add_recordings(report, names.index(GUITAR), separators, loaded)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
