"""How songs of the composer and of MMA differ, as music, from MIDI files that people wrote.

    python -m scripts.bench.composing --midi /usr/share/games

Generated music is at most as musical as what it learned from. Each feature is given by its
median and its 10th and 90th percentiles over songs, and by the chance that it puts a song and one
that people wrote, at random, in their usual order: 0.5 says nothing, 1 tells them apart.
"""

import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import mido
import numpy as np
import typer
from numpy.typing import NDArray

from scripts.bench.playing import tell_apart
from scripts.bench.report import OutputOption, Report
from scripts.dataset.arrangement import arrange
from scripts.dataset.chart import LEAD_IN_SECONDS, STEPS_PER_BAR
from scripts.dataset.composer import compose
from scripts.dataset.grooves import accompany
from scripts.dataset.midi_tracks import assign_stems, list_tracks
from scripts.dataset.rhythm_section import KICKS
from scripts.dataset.score import STEMS, Part
from scripts.dataset.written import find_tempo, gather

Array = NDArray[np.float64]

MOST_BARS = 64
"""Bars of a song that count, from that of its first note on."""
LEAST_NOTES = 16
"""Stems with fewer notes do not count, nor do the kicks of a song with fewer off the beat."""
TOGETHER = 0.09
"""Quarters between notes that still begin together: 45 ms at 120 a minute."""

PLACE, ONSET, PITCH, VELOCITY = range(4)
"""Columns of a note: quarters from the start of its bar, and of the song; pitch and velocity as in
MIDI."""

Music = dict[str, list[Array]]
"""By stem, the notes of each bar, ``[N, 4]``."""


def arrange_bars(parts: dict[str, Part], tempo: float, meter: str) -> Music:
    """The notes of parts by bars; `tempo` is in quarters a minute."""
    beats = STEPS_PER_BAR[meter] / 4
    notes: dict[str, Array] = {}
    for stem, part in parts.items():
        found = [(0.0, note.start_seconds, note.pitch, note.velocity) for note in part.notes]
        notes[stem] = np.array(found, dtype=np.float64).reshape(-1, 4)
        notes[stem][:, ONSET] = (notes[stem][:, ONSET] - LEAD_IN_SECONDS) * tempo / 60.0
        notes[stem][:, PLACE] = (notes[stem][:, ONSET] + TOGETHER) % beats - TOGETHER
    places = np.concatenate([found[:, ONSET] for found in notes.values()]) + TOGETHER
    bars = np.arange(places.min() // beats, places.max() // beats + 1)[:MOST_BARS]
    music = {
        stem: [found[(found[:, ONSET] + TOGETHER) // beats == bar] for bar in bars]
        for stem, found in notes.items()
    }
    return {stem: bars for stem, bars in music.items() if sum(map(len, bars)) >= LEAST_NOTES}


def join(bars: list[Array]) -> Array:
    """The notes of all bars by onset."""
    notes = np.concatenate(bars)
    return notes[np.argsort(notes[:, ONSET], kind="stable")]


def group(bars: list[Array]) -> list[Array]:
    """The notes in groups that begin together."""
    notes = join(bars)
    return np.split(notes, np.flatnonzero(np.diff(notes[:, ONSET]) > TOGETHER) + 1)


def find_likeness(one: Array, other: Array) -> float:
    """Share of the notes of two bars that both have, at the same place and pitch."""
    same = np.abs(one[:, None, PLACE] - other[None, :, PLACE]) < TOGETHER
    same &= one[:, None, PITCH] == other[None, :, PITCH]
    return float((same.any(1).sum() + same.any(0).sum()) / (len(one) + len(other)))


def find_repeats(bars: list[Array], back: int) -> float:
    """Mean likeness of bars and those `back` bars earlier, where both have notes; else NaN."""
    pairs = [(a, b) for a, b in zip(bars, bars[back:], strict=False) if len(a) and len(b)]
    return float(np.mean([find_likeness(*pair) for pair in pairs])) if pairs else np.nan


def find_steps(music: Music, stem: str) -> float:
    """Share of one or two semitones among the intervals from highest note to highest note."""
    sizes = np.abs(np.diff([chord[:, PITCH].max() for chord in group(music[stem])]))
    return float(np.mean((sizes > 0) & (sizes <= 2)))


def find_kicks(music: Music, stem: str) -> float:
    """Share of the kicks off the beat with a note of the bass; NaN if there are few."""
    drums = join(music["drums"])
    kicks = drums[np.isin(drums[:, PITCH], list(KICKS)), ONSET]
    off = kicks[np.abs((kicks + 0.5) % 1 - 0.5) > TOGETHER]
    near = np.abs(off[:, None] - join(music[stem])[:, ONSET]) < TOGETHER
    return float(near.any(1).mean()) if len(off) >= LEAST_NOTES else np.nan


def find_moves(music: Music, stem: str) -> float:
    """Share of the bars whose first note has another name than in the last bar with notes."""
    names = [bar[np.argmin(bar[:, ONSET]), PITCH] % 12 for bar in music[stem] if len(bar)]
    return float(np.mean([a != b for a, b in pairwise(names)]))


def find_size(bars: list[Array]) -> float:
    """Mean number of notes that begin together."""
    return sum(map(len, bars)) / len(group(bars))


ALL = " ".join(STEMS)
FEATURES: dict[str, tuple[str, Callable[[Music, str], float]]] = {
    "notes that come again a bar later": (ALL, lambda music, stem: find_repeats(music[stem], 1)),
    "notes that come again 8 bars later": (ALL, lambda music, stem: find_repeats(music[stem], 8)),
    "bars of rest": (ALL, lambda music, stem: float(np.mean([not len(b) for b in music[stem]]))),
    "spread of velocities": (ALL, lambda music, stem: join(music[stem])[:, VELOCITY].std()),
    "bars whose first note moves": ("bass", find_moves),
    "kicks off the beat with a note": ("bass", find_kicks),
    "different sounds": ("drums", lambda music, stem: len(set(join(music[stem])[:, PITCH]))),
    "melodic steps": ("bass guitar piano", find_steps),
    "notes at once": ("guitar piano", lambda music, stem: find_size(music[stem])),
}
"""Of each feature, the stems that have it, and how it is found."""

ROWS = [(stem, name) for name, (stems, _) in FEATURES.items() for stem in stems.split()]


def measure(songs: list[Music]) -> list[Array]:
    """Of each row, the feature of the songs that have its stem and drums, ``[songs]``."""
    return [
        np.array(
            [FEATURES[name][1](song, stem) for song in songs if {stem, "drums"} <= song.keys()]
        )
        for stem, name in ROWS
    ]


def write(count: int, *, by_mma: bool) -> Iterator[Music]:
    """Songs by our composer, or accompanied by MMA, as the dataset arranges them."""
    for index in range(count):
        seed = f"0/train/{index}"
        composition = accompany(f"{seed}/mma") if by_mma else compose(f"{seed}/composer")
        song = arrange(composition, seed)
        yield arrange_bars(song.parts, song.tempo, song.meter)


def read(folder: Path) -> Iterator[Music]:
    """The first part of each stem of the MIDI files below a folder that have one tempo."""
    with tempfile.TemporaryDirectory() as copies:
        for name in gather(folder, Path(copies)):
            midi = mido.MidiFile(Path(copies) / f"{name}.mid")
            tempo, meter = find_tempo(midi)
            if tempo:
                stems = assign_stems(list_tracks(midi))
                parts = {stem: found[0] if found else Part() for stem, found in stems.items()}
                yield arrange_bars(parts, tempo, meter)


def _describe(values: Array) -> str:
    known = values[~np.isnan(values)]
    if not len(known):
        return "-"
    low, middle, high = np.percentile(known, (10, 50, 90))
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def main(
    *,
    songs: Annotated[int, typer.Option(help="How many songs of each kind to write.")] = 100,
    midi: Annotated[Path, typer.Option(help="Folder of MIDI files and WADs that people wrote.")],
    output: OutputOption = None,
) -> None:
    """Print the table."""
    theirs = measure(list(read(midi)))
    ours = [measure(list(write(songs, by_mma=by_mma))) for by_mma in (False, True)]
    report = Report(
        f"Features of {songs} songs of the composer, as many of MMA, and MIDI files that people "
        "wrote, by `python -m scripts.bench.composing`: median (10th to 90th percentile), and the "
        "chance that a feature puts a song and one of people in their usual order. 0.5 says "
        "nothing."
    )
    rows = [
        (stem, name, *map(_describe, found), *(f"{tell_apart(x, found[2]):.2f}" for x in found[:2]))
        for (stem, name), *found in zip(ROWS, *ours, theirs, strict=True)
    ]
    report.table(
        ("stem", "feature", "composer", "MMA", "people", "chance, composer", "chance, MMA"), rows
    )
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
