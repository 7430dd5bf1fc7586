"""Plays drum kits of one-shots: those of Hydrogen, whose instruments become General MIDI drums."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import soundfile
from scipy.signal import resample_poly

from scripts.dataset.score import SAMPLE_RATE_HZ, Note, Part

_LONGEST_SECONDS = 4.0
# General MIDI drum -> names of instruments that may stand for it, best first.
_WANTED: dict[int, tuple[str, ...]] = {
    36: (r"kick|bass ?drum", r"thump|bass$|dununba1 head hit"),
    37: (r"stick|rim ?click", r"head mute|click"),
    38: (r"snare(?!.*(roll|rim))", r"slap"),
    39: (r"clap", r"snap"),
    42: (r"(closed|cl\b|cl_).*|hat low|hat.*closed|closed.*h", r"maraca|bell mute"),
    44: (r"(pedal|pd|foot).*|semi", r"hat low|maraca"),
    46: (r"(open|op\b|ohh).*", r"hat ring|bell hit|tambourine"),
    49: (r"crash", r"cymbal|open|bell hit|tambourine"),
    51: (r"ride(?!.*bell)|cymbal", r"crash|bell|cowbell|hat ring"),
    53: (r"bell|cup", r"ride|cowbell"),
    50: (r"tom.*hi|hi.* tom", r"tom ?1|^tom$|djembe1 tone|bongo hi|drum 1|conga 1", r"tom\b"),
    47: (r"tom.*mid|mid.* tom", r"tom ?2|^tom$|djembe2 tone|bongo|drum 2|conga 2", r"tom\b"),
    43: (r"tom.*(low|floor)|(low|floor).* tom", r"sangban1 head hit|bongo lo|tom\b|drum 1|conga 2"),
    54: (r"tambourine", r"side ohh|hat 3|closed"),
    56: (r"cowbell|agogo", r"bell|ring"),
    70: (r"maraca|shak", r"hat 2|closed|pedal"),
    64: (r"conga 2|bongo lo|kenkeni1 head hit", r"tom.*low|tom"),
    61: (r"conga 1|bongo hi|djembe3 tone", r"tom.*hi|tom"),
    75: (r"clave|woodblock", r"stick|rim|click"),
}  # fmt: skip
SAME_AS = {
    35: 36,
    40: 38,
    48: 50,
    45: 47,
    41: 43,
    55: 49,
    57: 49,
    52: 49,
    59: 51,
    82: 70,
    69: 70,
    62: 61,
    63: 64,
    60: 61,
    # Clicks, slaps, timbales, agogos, guiros, cuicas, triangles, castanets and surdos.
    **dict.fromkeys((27, 31, 32, 33), 37),
    28: 39,
    **dict.fromkeys((34, 67, 68), 56),
    **dict.fromkeys((65, 78), 61),
    **dict.fromkeys((66, 79), 64),
    **dict.fromkeys((29, 30, 58, 73, 74), 70),
    **dict.fromkeys((71, 72, 76, 77, 80, 85), 75),
    **dict.fromkeys((81, 84), 53),
    83: 54,
    **dict.fromkeys((86, 87), 43),
}
"""General MIDI drums, and those of Roland's kits around them, that others stand for."""

_STAND_IN = (
    (37, 38),
    (39, 38),
    (44, 42),
    (51, 42),
    (53, 51),
    (49, 46),
    (75, 37),
    (54, 42),
    (70, 42),
    (43, 36),
    (47, 38),
    (50, 38),
    *((drum, 37) for drum in (56, 61, 64)),
)
"""Drums, and what stands for them in kits without them."""

Shot = Callable[[int, int], "np.ndarray | None"]
_CHOKED_BY = {46: (42, 44)}


@dataclass(frozen=True)
class Layer:
    """One sample: its file, the velocities (0 to 1) it serves, and its gain."""

    path: Path
    low: float
    high: float
    gain: float


@cache
def load_kit(folder: Path) -> dict[int, tuple[Layer, ...]]:
    """General MIDI drum -> layers, for the drums that a kit has something for."""
    text = (folder / "drumkit.xml").read_text(encoding="utf-8", errors="replace")
    root = ElementTree.fromstring(re.sub(r'\sxmlns(:\w+)?="[^"]*"|xsi:\w+="[^"]*"', "", text))
    instruments = [
        (str(node.findtext("name")).lower(), _layers(folder, node))
        for node in root.iter("instrument")
    ]
    instruments = [
        (name, layers)
        for name, layers in instruments
        if layers and "empty" not in layers[0].path.name
    ]
    kit = {}
    for drum, patterns in _WANTED.items():
        for pattern in patterns:
            found = [layers for name, layers in instruments if re.search(pattern, name)]
            if found:
                kit[drum] = found[0]
                break
    for drum, other in _STAND_IN:
        if drum not in kit and other in kit:
            kit[drum] = kit[other]
    return kit


def _layers(folder: Path, node: ElementTree.Element) -> tuple[Layer, ...]:
    volume = float(node.findtext("volume") or 1.0)
    if node.findtext("filename"):
        layers = [Layer(folder / str(node.findtext("filename")), 0.0, 1.0, volume)]
    else:
        layers = [
            Layer(
                folder / str(layer.findtext("filename")),
                float(layer.findtext("min") or 0.0),
                float(layer.findtext("max") or 1.0),
                volume * float(layer.findtext("gain") or 1.0),
            )
            for layer in node.iter("layer")
        ]
    return tuple(layer for layer in layers if layer.path.exists())


@cache
def _sample(path: Path) -> tuple[np.ndarray, int]:
    """A one-shot, mono, from its first audible sample on, and its sample rate in Hz."""
    audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = audio.mean(axis=1)[: int(_LONGEST_SECONDS * rate_hz) + rate_hz]
    loud = np.flatnonzero(np.abs(mono) > 0.01 * np.abs(mono).max(initial=1e-9))
    start = max(0, int(loud[0]) - rate_hz // 1000) if len(loud) else 0
    return mono[start : start + int(_LONGEST_SECONDS * rate_hz)], rate_hz


def _tuned(path: Path, factor: float) -> np.ndarray:
    """A one-shot at 22 050 Hz, pitched by a factor."""
    mono, rate_hz = _sample(path)
    ratio = Fraction(SAMPLE_RATE_HZ / (rate_hz * factor)).limit_denominator(60)
    return np.asarray(resample_poly(mono, ratio.numerator, ratio.denominator), dtype=np.float32)


def render_hydrogen(
    part: Part, duration_seconds: float, folder: Path, tune_cents: float, rng: Random
) -> np.ndarray:
    """Play a drum part on a Hydrogen kit.

    Shape:
        output: [T] float32 with T = round(duration_seconds * 22 050), mono, not normalised
    """
    kit = load_kit(folder)
    shots: dict[tuple[Path, int], np.ndarray] = {}

    def shot(drum: int, velocity: int) -> np.ndarray | None:
        layers = kit.get(drum)
        if layers is None:
            return None
        level = velocity / 127.0
        fitting = [layer for layer in layers if layer.low <= level <= layer.high]
        layer = rng.choice(fitting) if fitting else layers[-1]
        variant = rng.randrange(3)
        if (layer.path, variant) not in shots:
            cents = tune_cents + (variant - 1) * 12.0
            shots[layer.path, variant] = _tuned(layer.path, 2.0 ** (cents / 1200.0))
        return shots[layer.path, variant] * (layer.gain * (0.1 + 0.9 * level**1.6))

    return mix_shots(part, duration_seconds, shot, rng)


def mix_shots(part: Part, duration_seconds: float, shot: Shot, rng: Random) -> np.ndarray:
    """Add up one-shots; `shot(drum, velocity)` is ``[N]`` or None. Closed hats choke open ones."""
    length = round(duration_seconds * SAMPLE_RATE_HZ)
    audio = np.zeros(length, dtype=np.float32)
    notes = [(note, SAME_AS.get(note.pitch, note.pitch)) for note in part.notes]
    for index, (note, drum) in enumerate(notes):
        sound = shot(drum, note.velocity)
        start = round(note.start_seconds * SAMPLE_RATE_HZ)
        if sound is None or start >= length:
            continue
        if drum in _CHOKED_BY:
            sound = _choked(
                sound, note.start_seconds, notes[index + 1 : index + 40], _CHOKED_BY[drum]
            )
        count = min(len(sound), length - start)
        audio[start : start + count] += sound[:count] * 10.0 ** (rng.gauss(0.0, 0.6) / 20.0)
    return audio


def _choked(
    sound: np.ndarray, start_seconds: float, later: list[tuple[Note, int]], chokers: tuple[int, ...]
) -> np.ndarray:
    """The sound, faded out over 20 ms from the moment at which one of the chokers strikes."""
    for note, drum in later:
        if drum in chokers and note.start_seconds > start_seconds + 0.01:
            cut = round((note.start_seconds - start_seconds) * SAMPLE_RATE_HZ)
            if cut < len(sound):
                fade = np.ones(len(sound), dtype=np.float32)
                count = min(440, len(sound) - cut)
                fade[cut : cut + count] = np.linspace(1.0, 0.0, count)
                fade[cut + count :] = 0.0
                return sound * fade
            break
    return sound
