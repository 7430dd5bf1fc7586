"""A table of scores, a row per window and stem, that lives in a CSV file and can be gone on with."""

import csv
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msdm_cli.errors import UnsuitableAudio, UnwritableAudio
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
        stems: SI-SDRi over the windows in which a stem sounds, by stem, in dB.
        active: Mean of ``stems``.
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
    means = {stem: _mean([row.si_sdri for row in rows if row.stem == stem and row.active]) for stem in stems}
    silent = [row.leak_db for row in rows if not row.active]
    return Summary(
        method=method,
        songs=len({row.song for row in rows}),
        stems=means,
        active=_mean(list(means.values())),
        official=_mean([row.si_sdri for row in rows]),
        leak_db=_mean(silent) if silent else None,
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def save_scores(path: Path, scores: Iterable[Score]) -> None:
    """Write a table, never half.

    Raises:
        UnwritableAudio: It cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(field.name for field in dataclasses.fields(Score))
            writer.writerows(dataclasses.astuple(score) for score in scores)
        temporary.replace(path)
    except OSError as error:
        raise UnwritableAudio(f"{path}: {error.strerror}", "Choose another place for the scores.") from error


def load_scores(path: Path) -> list[Score]:
    """Read a table; nothing if there is none.

    Raises:
        UnsuitableAudio: It is not such a table.
    """
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                Score(
                    row["method"], row["song"], int(row["window"]), row["stem"],
                    row["active"] == "True", float(row["si_sdri"]), float(row["leak_db"]),
                )
                for row in csv.DictReader(file)
            ]  # fmt: skip
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UnsuitableAudio(f"{path}: not a table of scores ({error})", "Name another file with --scores.") from error
