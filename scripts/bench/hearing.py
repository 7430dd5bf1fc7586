"""How often tempo, bar and key are heard right in songs, and as asked for in generated music.

    pip install librosa
    python -m scripts.bench.hearing DATA/validation --output scripts/bench/hearing.md

The tempo that librosa finds stands beside ours.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import librosa
import numpy as np
import typer

from msdm_cli.audio.source import ArraySource
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import Model, load_model
from msdm_cli.tasks.controls import Controls, read_key
from msdm_cli.tasks.hearing import listen
from scripts.bench.report import OutputOption, Report
from scripts.songs import SAMPLE_RATE_HZ, STEMS, list_songs, load_middle
from scripts.train.sketch_corpus import read_controls

NEAR_TEMPO = 0.04
"""Share by which a tempo may be wrong."""
NEAR_BEAT = 0.1
"""Share of a beat by which its time may be wrong."""
LONGEST_SECONDS = 600.0
TAKE_SECONDS = 12.0
FACTORS = (0.5, 1.0, 2.0)

GIVEN = {
    **{stem: (stem,) for stem in STEMS},
    "bass and drums": ("bass", "drums"),
    "all but piano": ("bass", "drums", "guitar"),
    "all": STEMS,
}
COLUMNS = (
    "given stems",
    "tempo",
    "up to a factor of 2",
    "librosa's",
    "up to a factor of 2",
    "beat",
    "bar",
    "key",
    "tonic",
)


def score(stems: Samples, truth: Controls, given: tuple[str, ...] = STEMS) -> list[bool | None]:
    """What is right of what is heard, by column; None where it does not count."""
    parts = {name: stems[STEMS.index(name)] for name in given}
    mix = np.sum(list(parts.values()), 0)
    listener = listen(
        {name: ArraySource(stem, SAMPLE_RATE_HZ, name) for name, stem in parts.items()}
    )
    beat = listener.find_beat()
    heard = beat.tempo if beat else math.nan
    theirs = float(np.atleast_1d(librosa.beat.beat_track(y=mix, sr=SAMPLE_RATE_HZ)[0])[0])
    tempos = [
        [is_near(tempo, truth.tempo or math.nan, factor) for factor in FACTORS]
        for tempo in (heard, theirs)
    ]
    right = [found for near in tempos for found in (near[1], any(near))]
    timed = beat is not None and right[0] and truth.meter == "4/4"
    beats = [
        is_on(beat.first_beat, truth.start, period, truth.beat_seconds) if beat and timed else None
        for period in (truth.beat_seconds, truth.bar_seconds)
    ]
    key = listener.find_key()
    assert truth.key is not None
    keys = [compare(key, truth.key) if key else None for compare in (is_same_key, is_same_tonic)]
    return [*right, *beats, *keys]


def is_near(tempo: float, truth: float, factor: float) -> bool:
    """Whether a tempo is the true one, times a factor."""
    return abs(tempo / (factor * truth) - 1) < NEAR_TEMPO


def is_on(time: float, truth: float, period: float, beat: float) -> bool:
    """Whether a time is a true one, which comes again after each period."""
    off = (time - truth + period / 2) % period - period / 2
    return abs(off) < NEAR_BEAT * beat


def is_same_key(key: str, truth: str) -> bool:
    """Whether tonic and third are the same."""
    return read_key(key) == read_key(truth)


def is_same_tonic(key: str, truth: str) -> bool:
    """Whether the tonic is the same."""
    return read_key(key)[0] == read_key(truth)[0]


def load_truth(song: Path) -> Controls:
    """What the metadata of a song says."""
    return read_controls(json.loads((song / "metadata.json").read_text()))


def generate(model: Model, seed: int) -> tuple[Samples, Controls]:
    """A take of all four stems, ``[S, T]``, and what it was asked for."""
    asked = replace(Controls().filled(seed, len(STEMS)), playing=(True,) * len(STEMS))
    take = model.generate(TAKE_SECONDS, seed=seed, controls=asked)
    return np.concatenate([take[stem] for stem in STEMS]), asked


def main(
    songs: Annotated[Path, typer.Argument(help="Songs with metadata.json.")],
    *,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    takes: Annotated[int, typer.Option(help="Takes that are generated.")] = 24,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    folders = list_songs(songs)[:limit]
    loaded = [(load_middle(song, LONGEST_SECONDS), load_truth(song)) for song in folders]
    report = Report(
        f"Tempo, beat, bar and key of {len(folders)} held-out songs, heard from some of their "
        "stems, by `python -m scripts.bench.hearing`: shares of songs.",
        f"A tempo is right within {NEAR_TEMPO:.0%} of quarter notes a minute, a beat within "
        f"{NEAR_BEAT:.0%} of its length; beats and bars are those of 4/4 with the right tempo.",
    )
    report.begin_table(*COLUMNS)
    for name, given in GIVEN.items():
        report.row(name, *describe([score(stems, truth, given) for stems, truth in loaded]))
    report.write(
        f"{takes} takes of {TAKE_SECONDS:g} s of the embedded model, which was asked for tempo, "
        "key, style and all stems: shares of takes in which what is asked for is heard.",
    )
    report.begin_table(*COLUMNS)
    model = load_model()
    report.row("all", *describe([score(*generate(model, seed)) for seed in range(takes)]))
    report.save(output)


def describe(scores: list[list[bool | None]]) -> list[str]:
    """What is right in each column: a share in per cent, and of how many."""
    columns = (
        [cell for cell in column if cell is not None] for column in zip(*scores, strict=True)
    )
    return [f"{100 * np.mean(right):.0f} % of {len(right)}" if right else "" for right in columns]


if __name__ == "__main__":
    typer.run(main)
