"""Songs accompanied by MMA (Musical MIDI Accompaniment); the composer fills the gaps."""

import re
import subprocess
import tempfile
from bisect import bisect_right
from dataclasses import replace
from pathlib import Path
from random import Random

import mido

from scripts.dataset.chart import TAIL_SECONDS, Chart, make_chart
from scripts.dataset.composer import Composition, write_drums, write_part
from scripts.dataset.groove_files import GrooveFile, choose_file, find_style
from scripts.dataset.midi_tracks import assign_stems, list_tracks
from scripts.dataset.part_writer import PartWriter
from scripts.dataset.piano import sustain
from scripts.dataset.rhythm_section import follow_kick
from scripts.dataset.score import STEMS, Part, Song, without_overlaps
from scripts.dataset.styles import Style

_ATTEMPTS = 8

KICKS_AND_SNARES = frozenset(range(35, 41))

PEDALLED = 0.25
"""How often a piano of MMA, which knows no pedal, has one for each chord."""

HELD = {
    "bass": (0.0, 0.5, 0.9, 0.97),
    "guitar": (0.0, 0.0, 0.5, 0.97),
    "piano": (0.0, 0.0, 0.5, 0.97),
}
"""Least share of the time to the next stroke that notes of MMA last, one of these a stem and song.

Most of MMA's notes are short: its basses were silent a third of the time, people's a tenth.
"""

STROKE_SECONDS = 0.08
"""Notes that begin at most this long after a note belong to its stroke."""

LONGEST_SECONDS = 2.0
"""Notes are lengthened to this at most; longer ones stay."""

_SPECIAL = re.compile(r"intro|end|fill|break|tutti|walk$", re.IGNORECASE)


def accompany(seed: str) -> Composition:
    """A song accompanied by a random groove; the same seed gives the same song.

    Raises:
        RuntimeError: if none of several grooves could be compiled.
    """
    problems = []
    for attempt in range(_ATTEMPTS):
        rng = Random(f"{seed}/{attempt}")
        file = choose_file(rng)
        style = find_style(file)
        low, high = style.tempos
        # MMA knows whole beats a minute only.
        tempo = float(min(max(rng.randint(low, high), 60), 180))
        chart = make_chart(rng, file.meter, tempo, style.swing, style.harmony)
        try:
            parts, seconds = _compile(chart, _script(chart, file, rng))
        except (subprocess.SubprocessError, ValueError, EOFError, OSError) as error:
            problems.append(f"{file.name}: {error}")
            continue
        if len(parts["drums"].notes) < 40:
            problems.append(f"{file.name}: no drums")
            continue
        _complete(parts, chart, style, rng, seed)
        if Random(f"{seed}/pedal").random() < PEDALLED:
            for part in (parts["piano"], seconds["piano"]):
                add_pedal(part, chart, rng)
        for stem in HELD:
            hold_as_drawn((parts[stem], seconds[stem]), stem, seed)
        song = Song(
            parts, chart.duration_seconds, "mma", file.name, chart.tempo, chart.key, chart.meter
        )
        song.second_parts = {
            stem: part
            for stem, part in seconds.items()
            if part.notes and "mma" in parts[stem].kinds
        }
        return Composition(song, chart, style)
    raise RuntimeError(f"no groove could be compiled: {'; '.join(problems)}")


def _script(chart: Chart, file: GrooveFile, rng: Random) -> str:
    """The chart as MMA source: a groove for each section, and a fill in its last bar."""
    plain = [name for name in file.grooves if not _SPECIAL.search(name)] or list(file.grooves)
    fills = [name for name in file.grooves if "fill" in name.lower()]
    by_section: dict[str, str] = {}
    beats = {"4/4": 4, "3/4": 3, "6/8": 6}[chart.meter]
    tempo = chart.tempo * (2 if chart.meter == "6/8" else 1)
    lines = [f"RndSeed {rng.randrange(10**6)}", f"Tempo {tempo:.0f}"]
    for section in chart.sections:
        groove = by_section.setdefault(section.name, rng.choice(plain))
        lines.append(f"Groove {file.name}:{groove}")
        for bar in range(section.first_bar, section.first_bar + section.num_bars):
            if fills and section.num_bars > 2 and bar == section.first_bar + section.num_bars - 1:
                lines.append(f"Groove {file.name}:{rng.choice(fills)}")
            symbols = ["/"] * beats
            for step, chord in chart.bars[bar]:
                symbols[step * beats // chart.steps_per_bar] = chord.name
            lines.append(f"{bar + 1} {' '.join(symbols)}")
    return "\n".join(lines) + "\n"


def _compile(chart: Chart, script: str) -> list[dict[str, Part]]:
    """Run MMA, and sort its instruments into first and second parts of stems.

    Sections rest where the chart says so. Third instruments of a stem play in its second part.
    """
    midi = _run(script)
    if abs(midi.length - (chart.duration_seconds - TAIL_SECONDS)) > 4.0:
        raise ValueError(
            f"expected about {chart.duration_seconds:.0f} s of music, got {midi.length:.0f} s"
        )
    parts: list[dict[str, Part]] = [{stem: Part() for stem in STEMS} for _ in range(2)]
    end = chart.duration_seconds - 0.6
    for stem, instruments in assign_stems(list_tracks(midi)).items():
        for index, instrument in enumerate(instruments):
            part = parts[min(index, 1)][stem]
            part.kinds = part.kinds or ["mma", *instrument.kinds]
            part.notes += [
                note
                for note in instrument.notes
                if stem in chart.section_at(note.start_seconds).playing and note.start_seconds < end
            ]
    for part in parts[1].values():
        part.notes = without_overlaps(part.notes)
    return parts


def add_pedal(part: Part, chart: Chart, rng: Random) -> None:
    """Give a piano of MMA a pedal for each chord of the sections in which it plays."""
    if "mma" in part.kinds:
        writer = PartWriter(chart, rng)
        for section in chart.sections:
            if "piano" in section.playing:
                for bar in range(section.first_bar, section.first_bar + section.num_bars):
                    sustain(writer, bar)
        part.pedals = sorted(writer.part.pedals)


def hold_as_drawn(parts: tuple[Part, ...], stem: str, seed: str) -> None:
    """Draw how long a stem holds its notes, and hold those of its parts."""
    share = Random(f"{seed}/held/{stem}").choice(HELD[stem])
    for part in parts:
        hold(part, share)


def hold(part: Part, share: float) -> None:
    """Let notes of MMA last for at least `share` of the time to the next stroke of their part."""
    if "mma" not in part.kinds:
        return
    starts = sorted(note.start_seconds for note in part.notes)
    notes = []
    for note in part.notes:
        index = bisect_right(starts, note.start_seconds + STROKE_SECONDS)
        gap = starts[index] - note.start_seconds if index < len(starts) else 0.0
        held = share * min(gap, LONGEST_SECONDS)
        notes.append(replace(note, duration_seconds=max(note.duration_seconds, held)))
    part.notes = without_overlaps(notes)


def _run(script: str) -> mido.MidiFile:
    """What MMA makes of its source."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "song.mma"
        target = Path(folder) / "song.mid"
        source.write_text(script)
        command = ["mma", "-w", "-f", str(target), str(source)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, cwd=folder, check=False
        )
        if done.returncode or not target.exists():
            raise ValueError(" ".join(done.stdout.split())[-200:])
        return mido.MidiFile(target)


def _complete(parts: dict[str, Part], chart: Chart, style: Style, rng: Random, seed: str) -> None:
    """Let the composer write stems that are empty, one of two that double each other, and drums."""
    guitar = {round(note.start_seconds, 1) for note in parts["guitar"].notes}
    piano = {round(note.start_seconds, 1) for note in parts["piano"].notes}
    shared = len(guitar & piano) / max(1, min(len(guitar), len(piano)))
    if guitar and piano and shared > 0.6 and rng.random() < 0.75:
        parts[rng.choice(("guitar", "piano"))] = Part()
    for stem in ("bass", "guitar", "piano"):
        if not parts[stem].kinds and (stem == "bass" or rng.random() < 0.92):
            parts[stem] = write_part(chart, style, stem, f"{seed}/{stem}")
    # Some grooves have triangles or one tom in place of a kit.
    played = {note.pitch for note in parts["drums"].notes}
    if rng.random() < 0.15 or not played & KICKS_AND_SNARES:
        parts["drums"] = write_drums(chart, style.groove, f"{seed}/drums")
    if "mma" not in parts["bass"].kinds:
        parts["bass"] = follow_kick(parts["bass"], parts["drums"], chart, rng)
