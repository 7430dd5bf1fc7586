"""SI-SDRi of many songs: a row per window and stem, and their means."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from msdm_cli.evaluation.metrics import WindowScores


@dataclass(frozen=True)
class Score:
    """One stem in one counted window.

    Attributes:
        method: What separated it.
        song: Name of the song's folder.
        window: Number of the window among those that count.
        stem: Name of the stem.
        active: Whether the stem sounds.
        si_sdri: SI-SDR improvement over the mixture, in dB.
        leak_db: Level of the estimate relative to the mixture, in dB.
    """

    method: str
    song: str
    window: int
    stem: str
    active: bool
    si_sdri: float
    leak_db: float


@dataclass(frozen=True)
class Summary:
    """Means of one method.

    Attributes:
        method: What separated.
        songs: Number of songs.
        stems: SI-SDRi over the windows in which a stem sounds, by stem, in dB; NaN for one that never does.
        active: Mean of those that do.
        official: SI-SDRi over all counted windows and stems, as the paper has it, in dB.
        leak_db: Level of the estimates of silent stems relative to the mixture, in dB; None if none is silent.
    """

    method: str
    songs: int
    stems: dict[str, float]
    active: float
    official: float
    leak_db: float | None


def list_scores(method: str, song: str, stems: Sequence[str], scores: WindowScores) -> list[Score]:
    """The rows of one song."""
    columns = (scores.active.tolist(), scores.improvement.tolist(), scores.leak_db.tolist())
    return [
        Score(method, song, window, stem, *values)
        for window, rows in enumerate(zip(*columns, strict=True))
        for stem, *values in zip(stems, *rows, strict=True)
    ]


def summarise(scores: Iterable[Score], stems: Sequence[str]) -> list[Summary]:
    """Means of each method, in the order in which they come."""
    methods: dict[str, list[Score]] = {}
    for score in scores:
        methods.setdefault(score.method, []).append(score)
    return [_summarise(method, rows, stems) for method, rows in methods.items()]


def _summarise(method: str, rows: list[Score], stems: Sequence[str]) -> Summary:
    means = {
        stem: _mean([row.si_sdri for row in rows if row.stem == stem and row.active])
        for stem in stems
    }
    silent = [row.leak_db for row in rows if not row.active]
    return Summary(
        method=method,
        songs=len({row.song for row in rows}),
        stems=means,
        active=_mean([mean for mean in means.values() if not math.isnan(mean)]),
        official=_mean([row.si_sdri for row in rows]),
        leak_db=_mean(silent) if silent else None,
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
