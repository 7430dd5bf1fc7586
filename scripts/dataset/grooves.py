"""Songs accompanied by MMA (Musical MIDI Accompaniment) over a generated chart; the composer fills the gaps."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import mido

from scripts.dataset.chart import LEAD_IN_SECONDS, TAIL_SECONDS, Chart, make_chart
from scripts.dataset.composer import STYLES, Style, write_drums, write_part
from scripts.dataset.score import STEMS, Note, Part, Song, without_overlaps

MMA_LIBRARY = Path("/usr/share/mma/lib")
_ATTEMPTS = 8
_SKIPPED = re.compile(
    r"metronome|/none|zoom/(count|ending|intro|mide|bald34|thr)|ambient|techno|rave|march|polka"
)
_SPECIAL = re.compile(r"intro|end|fill|break|tutti|walk$", re.IGNORECASE)
_STYLE_WORDS = (
    ("bossa", "bossa"), ("samba", "bossa"), ("salsa", "latin"), ("mambo", "latin"), ("cha", "latin"), ("rhumba",
    "latin"),
    ("latin", "latin"), ("cuban", "latin"), ("shuffle", "shuffle"), ("blues", "shuffle"), ("boogie", "shuffle"),
    ("swing", "swing"), ("jazz", "swing"), ("bebop", "swing"), ("foxtrot", "swing"), ("dixie", "swing"), ("funk",
    "funk"),
    ("soul", "funk"), ("reggae", "reggae"), ("ska", "reggae"), ("disco", "disco"), ("house", "house"), ("dance",
    "house"),
    ("metal", "metal"), ("punk", "metal"), ("mtl", "metal"), ("hrk", "metal"), ("ballad", "ballad"), ("slow", "ballad"),
    ("country", "country"), ("cntry", "country"), ("grass", "country"), ("western", "country"), ("folk", "folk"),
    ("rock", "rock"), ("hip", "breakbeat"), ("trip", "breakbeat"), ("dnb", "breakbeat"), ("8beat", "pop"), ("16beat",
    "pop"),
)  # fmt: skip


@dataclass(frozen=True)
class GrooveFile:
    """A file of the MMA library: its name without suffix, its meter and its grooves."""

    name: str
    meter: str
    grooves: tuple[str, ...]


@cache
def groove_files() -> tuple[GrooveFile, ...]:
    """All files of MMA's library in 4/4, 3/4 or 6/8 that define grooves."""
    files = []
    for path in sorted(MMA_LIBRARY.glob("*/*.mma")):
        name = path.relative_to(MMA_LIBRARY).with_suffix("").as_posix()
        text = path.read_text(encoding="latin-1")
        beats = re.search(r"^\s*time\s+(\d+)", text, re.IGNORECASE | re.MULTILINE)
        meter = {"4": "4/4", "3": "3/4", "6": "6/8"}.get(beats.group(1) if beats else "4")
        grooves = re.findall(r"^\s*defgroove\s+(\S+)", text, re.IGNORECASE | re.MULTILINE)
        if meter and grooves and not _SKIPPED.search(name):
            files.append(GrooveFile(name, meter, tuple(grooves)))
    return tuple(files)


def accompany(seed: str) -> Song:
    """A song accompanied by a random groove; the same seed gives the same song.

    Raises:
        RuntimeError: if none of several grooves could be compiled.
    """
    problems = []
    for attempt in range(_ATTEMPTS):
        rng = Random(f"{seed}/{attempt}")
        file = _choose_file(rng)
        style = _style_of(file)
        low, high = style.tempos
        # MMA knows whole beats a minute only.
        tempo = float(min(max(rng.randint(low, high), 60), 180))
        chart = make_chart(rng, file.meter, tempo, style.swing, style.harmony)
        try:
            parts = _compile(chart, _script(chart, file, rng))
        except (subprocess.SubprocessError, ValueError, EOFError, OSError) as error:
            problems.append(f"{file.name}: {error}")
            continue
        if len(parts["drums"].notes) < 40:
            problems.append(f"{file.name}: no drums")
            continue
        _complete(parts, chart, style, rng, seed)
        return Song(
            parts, chart.duration_seconds, "mma", file.name, chart.tempo, chart.key, chart.meter
        )
    raise RuntimeError(f"no groove could be compiled: {'; '.join(problems)}")


def _choose_file(rng: Random) -> GrooveFile:
    """Library files alike, but those that only have drums (zoom) half as often."""
    files = groove_files()
    file = rng.choice(files)
    return rng.choice(files) if file.name.startswith("zoom/") and rng.random() < 0.5 else file


def _style_of(file: GrooveFile) -> Style:
    if file.meter != "4/4":
        return STYLES["waltz" if file.meter == "3/4" else "sixeight"]
    return STYLES[next((style for word, style in _STYLE_WORDS if word in file.name), "pop")]


def _script(chart: Chart, file: GrooveFile, rng: Random) -> str:
    """The chart as MMA source: one groove a section, a fill in its last bar where the library has one."""
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


def _compile(chart: Chart, script: str) -> dict[str, Part]:
    """Run MMA and sort its tracks into stems; sections rest where the chart says so."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "song.mma", Path(folder) / "song.mid"
        source.write_text(script)
        command = ["mma", "-w", "-f", str(target), str(source)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, cwd=folder, check=False
        )
        if done.returncode or not target.exists():
            raise ValueError(" ".join(done.stdout.split())[-200:])
        midi = mido.MidiFile(target)
    if abs(midi.length - (chart.duration_seconds - TAIL_SECONDS)) > 4.0:
        raise ValueError(
            f"expected about {chart.duration_seconds:.0f} s of music, got {midi.length:.0f} s"
        )
    parts = {stem: Part() for stem in STEMS}
    tracks = _tracks(midi)
    for stem, track in _assign(tracks).items():
        part = parts[stem]
        part.kinds = ["mma"] if track else []
        end = chart.duration_seconds - 0.5
        part.notes = [
            note for note in track if _plays(chart, stem, note) and note.start_seconds < end - 0.1
        ]
    return parts


def _tracks(midi: mido.MidiFile) -> dict[int, tuple[str, int, list[Note]]]:
    """Channel -> (track name, most used program, notes in seconds)."""
    names = {
        message.channel: track.name.lower()
        for track in midi.tracks
        for message in track
        if message.type == "note_on"
    }
    programs = dict.fromkeys(range(16), 0)
    counts: dict[int, dict[int, int]] = {}
    open_notes: dict[tuple[int, int], tuple[float, int]] = {}
    notes: dict[int, list[Note]] = {}
    now = 0.0
    for message in midi:
        now += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on" and message.velocity:
            open_notes[message.channel, message.note] = (now, message.velocity)
            tally = counts.setdefault(message.channel, {})
            tally[programs[message.channel]] = tally.get(programs[message.channel], 0) + 1
        elif message.type in ("note_on", "note_off"):
            start, velocity = open_notes.pop((message.channel, message.note), (None, 0))
            if start is not None:
                note = Note(start + LEAD_IN_SECONDS, max(0.03, now - start), message.note, velocity)
                notes.setdefault(message.channel, []).append(note)
    return {
        channel: (
            names.get(channel, ""),
            max(counts[channel], key=counts[channel].__getitem__),
            found,
        )
        for channel, found in notes.items()
    }


def _assign(tracks: dict[int, tuple[str, int, list[Note]]]) -> dict[str, list[Note]]:
    """Notes by stem, by General MIDI program; homeless parts go to guitar or piano if that is empty."""
    stems: dict[str, list[Note]] = {stem: [] for stem in STEMS}
    homeless = []
    for channel, (name, program, notes) in sorted(tracks.items()):
        owner = _owner(channel, name, program)
        if owner:
            stems[owner] += notes
        else:
            homeless.append((name, notes))
    for name, notes in homeless:
        first = "guitar" if "arp" in name or "scale" in name or "solo" in name else "piano"
        second = "piano" if first == "guitar" else "guitar"
        stem = next((stem for stem in (first, second) if not stems[stem]), None)
        if stem:
            stems[stem] += notes
    for stem in ("guitar", "piano", "bass"):
        stems[stem] = [_in_compass(note, *{"guitar": (38, 88), "piano": (24, 104), "bass": (26, 58)}[stem])
                       for note in stems[stem]]  # fmt: skip
    return {stem: without_overlaps(notes) for stem, notes in stems.items()}


def _owner(channel: int, name: str, program: int) -> str | None:
    """The stem of a track, by General MIDI; None for instruments that belong to none."""
    if channel == 9:
        return "drums"
    if 32 <= program <= 39 or name.startswith(("bass", "walk")):
        return "bass"
    if 24 <= program <= 31:
        return "guitar"
    return "piano" if program <= 7 else None


def _in_compass(note: Note, low: int, high: int) -> Note:
    pitch = note.pitch
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return Note(note.start_seconds, note.duration_seconds, pitch, note.velocity)


def _plays(chart: Chart, stem: str, note: Note) -> bool:
    bar = int((note.start_seconds + 0.03) / (chart.step_seconds * chart.steps_per_bar))
    for section in chart.sections:
        if section.first_bar <= bar < section.first_bar + section.num_bars:
            return stem in section.playing
    return stem in chart.sections[-1].playing


def _complete(parts: dict[str, Part], chart: Chart, style: Style, rng: Random, seed: str) -> None:
    """Let the composer write the stems that MMA left empty, and one of two that double each other."""
    guitar = {round(note.start_seconds, 1) for note in parts["guitar"].notes}
    piano = {round(note.start_seconds, 1) for note in parts["piano"].notes}
    shared = len(guitar & piano) / max(1, min(len(guitar), len(piano)))
    if guitar and piano and shared > 0.6 and rng.random() < 0.75:
        parts[rng.choice(("guitar", "piano"))] = Part()
    for stem in ("bass", "guitar", "piano"):
        if not parts[stem].kinds and (stem == "bass" or rng.random() < 0.92):
            parts[stem] = write_part(chart, style, stem, f"{seed}/{stem}")
    if rng.random() < 0.15:
        parts["drums"] = write_drums(chart, style.groove, f"{seed}/drums")
