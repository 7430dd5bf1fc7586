"""Songs that people wrote: MIDI files, on their own or in the WADs of games such as Freedoom.

A song is a file in another key and at another speed. Its instruments are sorted into stems as
those of MMA are. Tempo and meter are told if they are the same throughout, the key never.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from io import BytesIO
from pathlib import Path
from random import Random

import mido

from scripts.dataset.chart import LEAD_IN_SECONDS, STEPS_PER_BAR, TAIL_SECONDS
from scripts.dataset.midi_tracks import assign_stems, join, list_tracks
from scripts.dataset.score import Note, Part, Song, without_overlaps

HEADER = b"MThd"
LEAST_STEMS = 3
LEAST_NOTES = 16
"""A stem with fewer notes does not count."""

MOST_SECONDS = 150.0
SEMITONES = 5
SPEEDS = (0.9, 1.1)
DEFAULT_TEMPO = 500_000
"""Microseconds a quarter note in a MIDI file that says nothing."""


def gather(source: Path, out: Path) -> list[str]:
    """Copy the MIDI files that fill three stems or more, equal ones once.

    Args:
        source: Folder with MIDI files and WADs, at any depth.
        out: Folder that gets them.

    Returns:
        Names of the copies.
    """
    out.mkdir(parents=True, exist_ok=True)
    found: dict[bytes, str] = {}
    for path in sorted(source.rglob("*")):
        suffix = path.suffix.lower()
        if suffix in (".mid", ".midi"):
            found.setdefault(path.read_bytes(), path.stem)
        elif suffix == ".wad":
            for name, data in read_lumps(path.read_bytes()):
                found.setdefault(data, f"{path.stem}-{name}")
    kept: dict[str, bytes] = {}
    versions = Counter[str]()
    for data, name in found.items():
        if _is_full(data):
            # Two versions of a game have different songs under one name.
            versions[name] += 1
            kept[f"{name} ({versions[name]})" if versions[name] > 1 else name] = data
    for name, data in kept.items():
        (out / f"{name}.mid").write_bytes(data)
    return sorted(kept)


def read_lumps(wad: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the MIDI files in a WAD (Doom's format: a directory of lumps)."""
    _, count, directory = struct.unpack_from("<4sII", wad)
    for index in range(count):
        start, size, name = struct.unpack_from("<II8s", wad, directory + 16 * index)
        lump = wad[start : start + size]
        if lump.startswith(HEADER):
            yield name.rstrip(b"\0").decode("ascii"), lump


def _is_full(data: bytes) -> bool:
    try:
        stems = assign_stems(list_tracks(mido.MidiFile(file=BytesIO(data))))
    except (OSError, ValueError, LookupError, EOFError, mido.KeySignatureError):
        return False
    return sum(bool(found) and len(found[0].notes) >= LEAST_NOTES for found in stems.values()) >= (
        LEAST_STEMS
    )


def read_written(folder: Path, seed: str) -> Song:
    """A song of a folder of ``gather``: which one, the index says that ends the seed.

    Long files are cut at a bar. The same seed gives the same song.
    """
    files = sorted(folder.glob("*.mid"))
    path = files[int(seed.rpartition("/")[2]) % len(files)]
    rng = Random(f"{seed}/written")
    midi = mido.MidiFile(path)
    semitones = rng.randint(-SEMITONES, SEMITONES)
    speed = rng.uniform(*SPEEDS)
    tempo, meter = find_tempo(midi)
    start = 0.0
    if tempo:
        bar = 15.0 / tempo * STEPS_PER_BAR[meter]
        start = bar * rng.randint(0, max(0, int((midi.length - MOST_SECONDS) / bar)))
    end = min(midi.length, start + MOST_SECONDS)
    parts: dict[str, Part] = {}
    seconds: dict[str, Part] = {}
    for stem, instruments in assign_stems(list_tracks(midi)).items():
        moved = [
            _move(part, (start, end), speed, semitones * (stem != "drums")) for part in instruments
        ]
        # Not all play in what is cut out.
        parts[stem], *others = [part for part in moved if part.notes] or [Part()]
        if others:
            # Third instruments of a stem play in its second part.
            second = reduce(join, others)
            seconds[stem] = replace(second, notes=without_overlaps(second.notes))
    duration = (end - start) / speed + TAIL_SECONDS
    return Song(parts, duration, "written", path.stem, tempo * speed, "", meter, seconds)


def find_tempo(midi: mido.MidiFile) -> tuple[float, str]:
    """Quarter notes a minute and the meter; 0 and 4/4 if they change or the meter is rare."""
    messages = [message for track in midi.tracks for message in track]
    tempi = {message.tempo for message in messages if message.type == "set_tempo"}
    meters = {
        f"{message.numerator}/{message.denominator}"
        for message in messages
        if message.type == "time_signature"
    }
    (tempo, *more), (meter, *others) = tempi or {DEFAULT_TEMPO}, meters or {"4/4"}
    if more or others or meter not in STEPS_PER_BAR:
        return 0.0, "4/4"
    return float(mido.tempo2bpm(tempo)), meter


def _move(part: Part, span: tuple[float, float], speed: float, semitones: int) -> Part:
    """What begins in a span of the file, from the beginning, in another key and speed."""
    start, end = (bound + LEAD_IN_SECONDS for bound in span)

    def place(seconds: float) -> float:
        return LEAD_IN_SECONDS + (seconds - start) / speed

    notes = [
        Note(
            place(note.start_seconds),
            min(note.duration_seconds, end - note.start_seconds) / speed,
            note.pitch + semitones,
            note.velocity,
        )
        for note in part.notes
        if start <= note.start_seconds < end
    ]
    # Wheel and pedal are where they were before the span.
    bends = [(place(max(at, start)), value) for at, value in part.bends if at < end]
    pedals = [(place(max(at, start)), down) for at, down in part.pedals if at < end]
    if pedals and pedals[-1][1]:
        pedals.append((place(end), False))
    # Of those at the same time, the last one counts.
    return Part(
        notes, list(dict(bends).items()), list(dict(pedals).items()), ["written", *part.kinds]
    )
