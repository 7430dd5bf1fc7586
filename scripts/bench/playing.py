"""Which features of how a part is played tell a guitar from a piano, in songs and in MIDI files.

    python -m scripts.bench.playing --midi /usr/share/games

A feature that names parts in training songs, and not in music that people wrote, teaches a
separator what does not hold. Each feature is given as the chance that it puts a guitar and a piano,
each of a random song, in their usual order: 0.5 says nothing, 1 tells them apart.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Annotated

import mido
import numpy as np
import typer
from numpy.typing import NDArray

from scripts.bench.naming import PAIR
from scripts.bench.report import OutputOption, Report
from scripts.dataset.midi_tracks import assign_stems, list_tracks
from scripts.dataset.render import write_song
from scripts.dataset.score import Note, Part
from scripts.dataset.written import gather

Array = NDArray[np.float64]

TOGETHER_SECONDS = 0.08
"""Notes that begin within this time of the first one are a chord."""

CHORD_NOTES = 3
"""Notes of a chord at least."""

LEAST_NOTES = 16
"""Parts with fewer notes do not count."""


def list_chords(part: Part) -> Iterator[list[Note]]:
    """Notes that begin together, three or more."""
    chord: list[Note] = []
    for note in sorted(part.notes, key=lambda note: note.start_seconds):
        if chord and note.start_seconds - chord[0].start_seconds > TOGETHER_SECONDS:
            if len(chord) >= CHORD_NOTES:
                yield chord
            chord = []
        chord.append(note)
    if len(chord) >= CHORD_NOTES:
        yield chord


def find_spread(part: Part) -> float:
    """Seconds from the first to the last note of a chord: the median. NaN without chords."""
    spreads = [chord[-1].start_seconds - chord[0].start_seconds for chord in list_chords(part)]
    return float(np.median(spreads)) if spreads else np.nan


def find_slope(part: Part) -> float:
    """Mean MIDI velocity of a chord's note less that of the one below; NaN without chords."""
    slopes = []
    for chord in list_chords(part):
        rising = sorted(chord, key=lambda note: note.pitch)
        slopes.append((rising[-1].velocity - rising[0].velocity) / (len(rising) - 1))
    return float(np.mean(slopes)) if slopes else np.nan


def _pitches(part: Part) -> list[int]:
    return [note.pitch for note in part.notes]


FEATURES: dict[str, Callable[[Part], float]] = {
    "time from the first to the last note of a chord": find_spread,
    "how much harder a note of a chord is than the one below": find_slope,
    "mean pitch": lambda part: float(np.mean(_pitches(part))),
    "spread of pitches": lambda part: float(np.std(_pitches(part))),
    "whether there is a pedal": lambda part: float(any(down for _, down in part.pedals)),
}


def tell_apart(guitars: Array, pianos: Array) -> float:
    """Chance that a feature puts a random guitar and piano in their usual order, ``[N], [M]``.

    The statistic of Mann and Whitney's test; equal values count half. NaN if nothing can be
    compared.
    """
    guitars, pianos = guitars[~np.isnan(guitars)], pianos[~np.isnan(pianos)]
    if not (len(guitars) and len(pianos)):
        return np.nan
    greater = (guitars[:, None] > pianos).mean() + (guitars[:, None] == pianos).mean() / 2
    return float(max(greater, 1 - greater))


def measure(songs: Iterable[dict[str, Part]]) -> dict[str, float]:
    """How well each feature tells the guitars of songs from their pianos."""
    parts = zip(*([song[name] for name in PAIR] for song in songs), strict=True)
    kept = [[part for part in column if len(part.notes) >= LEAST_NOTES] for column in parts]
    return {
        name: tell_apart(*(np.array([find(part) for part in column]) for column in kept))
        for name, find in FEATURES.items()
    }


def compose(count: int) -> Iterator[dict[str, Part]]:
    """The parts of training songs, as arranged."""
    for index in range(count):
        seed = f"0/train/{index}"
        yield write_song(seed, Random(f"{seed}/render"), arranged=True).parts


def read(folder: Path) -> Iterator[dict[str, Part]]:
    """The first part of each stem in the MIDI files below a folder that fill three stems."""
    with tempfile.TemporaryDirectory() as copies:
        for name in gather(folder, Path(copies)):
            stems = assign_stems(list_tracks(mido.MidiFile(Path(copies) / f"{name}.mid")))
            yield {stem: parts[0] if parts else Part() for stem, parts in stems.items()}


def main(
    *,
    songs: Annotated[int, typer.Option(help="How many training songs to compose.")] = 300,
    midi: Annotated[Path, typer.Option(help="Folder of MIDI files and WADs that people wrote.")],
    output: OutputOption = None,
) -> None:
    """Print the table."""
    ours, theirs = measure(compose(songs)), measure(read(midi))
    report = Report(
        f"How well features of a part tell a guitar from a piano in {songs} training songs and in "
        "MIDI files that people wrote, by `python -m scripts.bench.playing`: the chance that they "
        "put a guitar and a piano in their usual order. 0.5 says nothing."
    )
    rows = [(name, f"{ours[name]:.2f}", f"{theirs[name]:.2f}") for name in FEATURES]
    report.table(("feature", "training songs", "MIDI files"), rows)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
