"""Whether the instruments of songs sound the notes that they are asked for.

    pip install librosa
    python -m scripts.bench.tuning INSTRUMENTS --fetched FETCHED --web DATA/web

Pitches are measured by pYIN (Mauch and Dixon, 2014), which knows nothing of what is stated. It may
take several periods for one, so an instrument counts as off if half of its notes are.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Annotated

import librosa
import numpy as np
import typer

from scripts.bench.report import OutputOption, Report
from scripts.dataset.instruments import render_timbre
from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part
from scripts.dataset.timbres import Timbre
from scripts.dataset.web import list_timbres

NOTES = {
    "bass": (33, 40, 45),
    "guitar": (45, 52, 59, 64, 71),
    "piano": (43, 50, 57, 64, 72),
}
"""MIDI pitches that the instruments of a stem are asked for."""

NOTE = Note(0.1, 1.2, 0, 95)
SECONDS = 1.6
"""With its end."""

SOUNDING_SECONDS = (0.15, 1.2)
"""Where the note is heard, without its attack."""

RANGE_HZ = (20.0, 2200.0)
FRAME = 4096
OFF_SEMITONES = 0.5


def measure(timbre: Timbre, pitch: int) -> float:
    """How many semitones a note sounds above what is asked for; NaN if no pitch is heard."""
    part = Part([replace(NOTE, pitch=pitch)])
    audio = render_timbre(part, SECONDS, timbre, 0.0, Random(0))
    first, last = (round(seconds * SAMPLE_RATE_HZ) for seconds in SOUNDING_SECONDS)
    hz = librosa.pyin(
        audio[first:last],
        fmin=RANGE_HZ[0],
        fmax=RANGE_HZ[1],
        sr=SAMPLE_RATE_HZ,
        frame_length=FRAME,
    )[0]
    heard = hz[np.isfinite(hz)]
    if not heard.size:
        return float("nan")
    return float(librosa.hz_to_midi(np.median(heard))) - pitch


def list_all(
    instruments: Path, fetched: Path | None, web: Path | None
) -> Iterator[tuple[str, str, Timbre]]:
    """Split, stem and timbre of all that songs are played on but drums, each once."""
    listed = set()
    for split in ("train", "validation"):
        for prepared in (None, web):
            for stem, timbres in list_timbres(instruments, split, fetched, prepared).items():
                for timbre in timbres:
                    key = split, timbre.name, timbre.path, timbre.preset
                    if stem in NOTES and key not in listed:
                        listed.add(key)
                        yield split, stem, timbre


def main(
    instruments: Annotated[Path, typer.Argument(help="Folder of the sampled instruments.")],
    *,
    fetched: Annotated[Path | None, typer.Option(help="Folder of fetched instruments.")] = None,
    web: Annotated[Path | None, typer.Option(help="What --web of the dataset prepared.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    timbres = list(list_all(instruments, fetched, web))
    report = Report(
        f"Notes of {len(timbres)} basses, guitars and pianos of songs, by "
        "`python -m scripts.bench.tuning`: how many semitones they sound above what is asked for.",
        "Only instruments of which half of the notes or more are off by more than "
        f"{OFF_SEMITONES:g} semitones, or have no pitch (nan).",
    )
    report.begin_table("songs", "stem", "instrument", "semitones")
    for split, stem, timbre in timbres:
        found = np.array([measure(timbre, pitch) for pitch in NOTES[stem]])
        in_tune = np.abs(found) <= OFF_SEMITONES
        if 2 * in_tune.sum() <= len(found):
            report.row(split, stem, timbre.name, ", ".join(f"{off:.1f}" for off in found))
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
