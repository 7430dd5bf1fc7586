"""Whether a guitar is called a piano in songs without a piano, and a piano a guitar likewise.

    python -m scripts.bench.alone WIDE/validation --output scripts/bench/alone.md
    python -m scripts.bench.alone WIDE/validation --weights RUN/best.safetensors

Many songs have only one of the two. Each song that has a guitar is separated without its piano, and
each that has a piano without its guitar. Then the model is told so, as by ``--absent piano``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.si_sdr import is_active, si_sdr
from scripts.bench.naming import PAIR, list_windows
from scripts.bench.report import OutputOption, Report
from scripts.bench.separation import WeightsOption, by_model, load_separator
from scripts.songs import list_songs, load_middle


@dataclass(frozen=True)
class Lone:
    """A window of 4 s that has only one of guitar and piano.

    Attributes:
        as_is: SI-SDRi of that stem, in dB.
        crossed: SI-SDRi of the other estimate as if it were that stem's, in dB.
        together: SI-SDRi of the two estimates taken together, in dB.
        level_db: Level of the other estimate, which should be silent, relative to that stem.
        told: SI-SDRi of that stem where the model is told that the other is absent, in dB.
    """

    as_is: float
    crossed: float
    together: float
    level_db: float
    told: float


def score_lone(
    estimate: Samples, told: Samples, stems: Samples, kept: int, absent: int, rate: int
) -> list[Lone]:
    """The windows of a song in which stem ``kept`` sounds and at least one other.

    ``absent`` is the stem that was silenced, and ``told`` the estimate of a model that knows it.

    Shape:
        ``[S, T], [S, T], [S, T] -> [windows]``
    """
    scores = []
    for window in list_windows(stems.shape[-1], rate):
        true, found = stems[:, window], estimate[:, window]
        sounding = is_active(true)
        if not sounding[kept] or sounding.sum() < 2:
            continue
        before = si_sdr(true.sum(0), true[kept])
        both = found[kept] + found[absent]
        estimates = np.stack((found[kept], found[absent], both, told[kept, window]))
        named, other, together, knowing = (si_sdr(estimates, true[kept]) - before).tolist()
        powers = np.square(found[absent]).mean(), np.square(true[kept]).mean()
        level_db = 10 * math.log10(powers[0] / powers[1] + 1e-9)
        scores.append(Lone(named, other, together, level_db, knowing))
    return scores


def add_stem(report: Report, kept: str, absent: str, songs: Sequence[Sequence[Lone]]) -> None:
    """Add the row of the stem that was kept."""
    windows = [window for song in songs for window in song]
    as_is = [[window.as_is for window in song] for song in songs]
    crossed = [[window.crossed for window in song] for song in songs]
    wrong = sum(sum(other) > sum(named) for named, other in zip(as_is, crossed, strict=True))
    swapped = [max(pair, key=sum) for pair in zip(as_is, crossed, strict=True)]
    together = np.mean([window.together for window in windows])
    told = np.mean([window.told for window in windows])
    level = np.median([window.level_db for window in windows])
    report.row(
        f"{kept}, no {absent}",
        f"{np.mean(np.concatenate(as_is)):.2f}",
        f"{np.mean(np.concatenate(swapped)):.2f}",
        f"{together:.2f}",
        f"{told:.2f}",
        f"{wrong} of {len(songs)}",
        f"{level:.1f}",
    )


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    weights: WeightsOption = None,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "fast",
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 24.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_separator(weights)
    names = model.spec.stems
    preset = model.spec.preset("separate", quality)
    folders = list_songs(songs)[:limit]
    report = Report(
        f"{seconds:g} s of each of {len(folders)} songs without their piano or without their "
        f"guitar, separated at `{quality}`, by `python -m scripts.bench.alone`.",
        "SI-SDRi in dB in windows of 4 s: of the stem, if each song might swap the two names, of "
        "the estimates of guitar and piano together, and of the stem where the model is told that "
        "the other is absent. Songs whose stem is rather found under the "
        "other name. Median level of the estimate of the stem that is not there, relative to the "
        "one that is.",
    )
    report.begin_table(
        "song has", "dB", "if songs might swap", "together", "told", "wrong name", "absent, dB"
    )
    for kept, absent in (PAIR, PAIR[::-1]):
        places = names.index(kept), names.index(absent)
        unaware, knowing = (by_model(model, preset, absent=told) for told in ((), (absent,)))
        scores = []
        for folder in folders:
            stems = load_middle(folder, seconds)
            stems[places[1]] = 0
            estimates = unaware(stems), knowing(stems)
            scores.append(score_lone(*estimates, stems, *places, model.spec.sample_rate))
        add_stem(report, kept, absent, [song for song in scores if song])
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
