"""A metric from a file of its own: how loud the estimates are, relative to the true stems."""

from dataclasses import dataclass

import numpy as np

from msdm_cli.evaluation.metrics.metric import Column, Figures, Metric


@dataclass(frozen=True)
class LevelRow:
    method: str
    song: str
    stem: str
    level_db: float


def score_song(song):
    powers = zip(np.square(song.estimate).sum(1), np.square(song.stems).sum(1), strict=True)
    levels = [float(10 * np.log10(estimated / true)) for estimated, true in powers]
    return [
        LevelRow(song.method, song.song, *pair) for pair in zip(song.names, levels, strict=True)
    ]


def average(rows, names):
    stems = {
        name: float(np.mean([row.level_db for row in rows if row.stem == name])) for name in names
    }
    return Figures(stems, {"loudest": max(stems.values())})


LEVEL = Metric(
    name="level",
    title="Level of the estimates",
    unit="dB",
    row=LevelRow,
    score=score_song,
    aggregate=average,
    columns={"loudest": Column("loudest stem", decimals=1)},
)
