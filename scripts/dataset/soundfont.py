"""Renders a part with a sound font through libfluidsynth.

Each process loads a font once. Every part gets a synthesiser of its own, so that its samples do not
depend on what was rendered before.
"""

import ctypes
import ctypes.util
from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from scripts.dataset.score import SAMPLE_RATE_HZ, Part

_BLOCK = 64
_RATE_HZ = 2 * SAMPLE_RATE_HZ
_COARSE_TUNE = 51
_FINE_TUNE = 52
_DECAY = 36
_RELEASE = 38
_BEND_RANGE = 12
_INTERPOLATION_7TH_ORDER = 7


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(ctypes.util.find_library("fluidsynth") or "libfluidsynth.so.3")
    pointer = ctypes.c_void_p
    integer = ctypes.c_int
    number = ctypes.c_double
    signatures = {
        "new_fluid_settings": (pointer, []),
        "fluid_settings_setnum": (integer, [pointer, ctypes.c_char_p, number]),
        "fluid_settings_setint": (integer, [pointer, ctypes.c_char_p, integer]),
        "new_fluid_synth": (pointer, [pointer]),
        "delete_fluid_synth": (None, [pointer]),
        "fluid_synth_sfload": (integer, [pointer, ctypes.c_char_p, integer]),
        "fluid_synth_get_sfont_by_id": (pointer, [pointer, integer]),
        "fluid_synth_add_sfont": (integer, [pointer, pointer]),
        "fluid_synth_remove_sfont": (integer, [pointer, pointer]),
        "fluid_synth_program_select": (integer, [pointer, integer, integer, integer, integer]),
        "fluid_synth_noteon": (integer, [pointer, integer, integer, integer]),
        "fluid_synth_noteoff": (integer, [pointer, integer, integer]),
        "fluid_synth_cc": (integer, [pointer, integer, integer, integer]),
        "fluid_synth_pitch_bend": (integer, [pointer, integer, integer]),
        "fluid_synth_pitch_wheel_sens": (integer, [pointer, integer, integer]),
        "fluid_synth_set_gen": (integer, [pointer, integer, integer, ctypes.c_float]),
        "fluid_synth_set_interp_method": (integer, [pointer, integer, integer]),
        "fluid_synth_all_sounds_off": (integer, [pointer, integer]),
        "fluid_synth_write_float": (
            integer, [pointer, integer, pointer, integer, integer, pointer, integer, integer],
        ),
        "fluid_set_log_function": (pointer, [integer, pointer, pointer]),
    }  # fmt: skip
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    for level in range(1, 5):
        library.fluid_set_log_function(level, None, None)
    return library


@cache
def _settings() -> int:
    library = _library()
    settings = library.new_fluid_settings()
    library.fluid_settings_setnum(settings, b"synth.sample-rate", float(_RATE_HZ))
    library.fluid_settings_setnum(settings, b"synth.gain", 0.2)
    library.fluid_settings_setint(settings, b"synth.reverb.active", 0)
    library.fluid_settings_setint(settings, b"synth.chorus.active", 0)
    library.fluid_settings_setint(settings, b"synth.polyphony", 400)
    return int(settings)


@cache
def _font(path: Path) -> tuple[int, int]:
    """A loaded font and the synthesiser that keeps it."""
    library = _library()
    keeper = library.new_fluid_synth(_settings())
    number = library.fluid_synth_sfload(keeper, str(path).encode(), 0)
    if number < 0:
        raise RuntimeError(f"cannot load the sound font {path}")
    return int(library.fluid_synth_get_sfont_by_id(keeper, number)), int(keeper)


def render_soundfont(
    part: Part,
    duration_seconds: float,
    path: Path,
    preset: tuple[int, int],
    tune_cents: float,
    ending: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """Render a part with a preset (bank, program) of a sound font.

    Notes that are held, and those that are let go, last so many times as long.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono, not normalised
    """
    library = _library()
    font, _ = _font(path)
    synth = library.new_fluid_synth(_settings())
    number = library.fluid_synth_add_sfont(synth, font)
    channel = 9 if preset[0] == 128 else 0
    try:
        library.fluid_synth_set_interp_method(synth, -1, _INTERPOLATION_7TH_ORDER)
        if library.fluid_synth_program_select(synth, channel, number, *preset) != 0:
            raise RuntimeError(f"{path} has no preset {preset}")
        library.fluid_synth_pitch_wheel_sens(synth, channel, _BEND_RANGE)
        library.fluid_synth_set_gen(synth, channel, _COARSE_TUNE, float(round(tune_cents / 100)))
        library.fluid_synth_set_gen(
            synth, channel, _FINE_TUNE, tune_cents - 100.0 * round(tune_cents / 100)
        )
        for generator, factor in zip((_DECAY, _RELEASE), ending, strict=True):
            library.fluid_synth_set_gen(synth, channel, generator, 1200.0 * np.log2(factor))
        audio = _play(synth, channel, part, duration_seconds)
        library.fluid_synth_all_sounds_off(synth, -1)
    finally:
        library.fluid_synth_remove_sfont(synth, font)
        library.delete_fluid_synth(synth)
    length = round(duration_seconds * SAMPLE_RATE_HZ)
    return np.asarray(resample_poly(audio.mean(axis=0), 1, 2)[:length], dtype=np.float32)


def _events(part: Part) -> list[tuple[int, int, int, int]]:
    """(block, kind, a, b) in order of time: kinds are 0 note off, 1 bend, 2 pedal, 3 note on."""
    per_second = _RATE_HZ / _BLOCK
    events = []
    for note in part.notes:
        first = round(note.start_seconds * per_second)
        last = max(first + 4, round((note.start_seconds + note.duration_seconds) * per_second))
        events += [(first, 3, note.pitch, note.velocity), (last, 0, note.pitch, 0)]
    for seconds, semitones in part.bends:
        value = 8192 + round(8191 * semitones / _BEND_RANGE)
        events.append((round(seconds * per_second), 1, min(max(value, 0), 16383), 0))
    events += [
        (round(seconds * per_second), 2, 127 if down else 0, 0) for seconds, down in part.pedals
    ]
    return sorted(events)


def _play(synth: int, channel: int, part: Part, duration_seconds: float) -> np.ndarray:
    """Play all events of a part; returns [2, T'] at twice the sample rate."""
    library = _library()
    blocks = -(-round(duration_seconds * _RATE_HZ) // _BLOCK)
    audio = np.zeros((2, blocks * _BLOCK), dtype=np.float32)
    left, right = (int(audio[side].ctypes.data) for side in range(2))

    def advance(first: int, last: int) -> None:
        count = (last - first) * _BLOCK
        offset = first * _BLOCK
        library.fluid_synth_write_float(synth, count, left, offset, 1, right, offset, 1)

    now = 0
    for block, kind, first, second in _events(part):
        if now < block <= blocks:
            advance(now, block)
            now = block
        if kind == 3:
            library.fluid_synth_noteon(synth, channel, first, second)
        elif kind == 0:
            library.fluid_synth_noteoff(synth, channel, first)
        elif kind == 1:
            library.fluid_synth_pitch_bend(synth, channel, first)
        else:
            library.fluid_synth_cc(synth, channel, 64, first)
    if now < blocks:
        advance(now, blocks)
    return audio
