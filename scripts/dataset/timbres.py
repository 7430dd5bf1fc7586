"""Timbres: what an instrument is, how one is chosen, and which only validation may use."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from scripts.dataset.score import Part

SOUNDFONTS = Path("/usr/share/sounds")
FLUID = "sf2/FluidR3_GM.sf2"
MUSESCORE = "sf3/MuseScore_General.sf3"

DELAYS_SECONDS = {29: 0.006, 33: 0.006, 34: 0.014}
"""Basses and guitars of FluidR3 that speak late, by program; MuseScore_General has the same."""

MOST_NOTES = 0.9
"""Share of the notes of a part that lie in the compass of what plays it."""

DRIVEN_PROGRAMS = (29, 30)
"""Distorted guitars of General MIDI."""

# sf_GMbank shares most of its samples with TimGM6mb, so both are held out; A320U shares none in the
# presets that are used.
HELD_OUT = (
    "TimGM6mb",
    "sf_GMbank",
    "Red_Zeppelin",
    "ForzeeStereo",
    "ColomboAcousticDrumkit",
    "UprightPianoKW",
    "ElectricBassYR",
    "ShinyGuitar",
)
"""Beginnings of the names of timbres that only validation may use."""


@dataclass(frozen=True)
class Timbre:
    """An instrument.

    Attributes:
        name: Source and preset, or file.
        kind: How it is rendered: soundfont, sampled, hydrogen, machine, plucked, struck, fm
            or dx7.
        path: Its file or folder; None for what is made of numbers.
        weight: Its share among the timbres of its stem.
        preset: Bank and program of a sound font.
        compass: Lowest and highest pitch of a sampled instrument.
        delay_seconds: How late its notes speak.
        octaves: How far to move its notes up to sound as written.
        driven: Whether it is a distorted guitar.
        ending: By how much longer notes last that are held, and those that are let go.
    """

    name: str
    kind: str
    path: Path | None
    weight: float
    preset: tuple[int, int] = (0, 0)
    compass: tuple[int, int] = (0, 127)
    delay_seconds: float = 0.0
    octaves: int = 0
    driven: bool = False
    ending: tuple[float, float] = (1.0, 1.0)

    @property
    def held_out(self) -> bool:
        """True where only the validation split may use the timbre."""
        return self.name.startswith(HELD_OUT)


def presets(font: str, bank: int, weights: dict[int, float], factor: float = 1.0) -> list[Timbre]:
    """Programs of a bank of a sound font with their weights; ``font`` lies in SOUNDFONTS."""
    name = Path(font).stem
    delays = DELAYS_SECONDS if font in (FLUID, MUSESCORE) and bank == 0 else {}
    return [
        Timbre(
            f"{name}:{bank}:{program}",
            "soundfont",
            SOUNDFONTS / font,
            weight * factor,
            (bank, program),
            delay_seconds=delays.get(program, 0.0),
            driven=program in DRIVEN_PROGRAMS and bank < 128,
        )
        for program, weight in weights.items()
    ]


def sampled(
    folder: Path,
    files: dict[str, float],
    compass: tuple[int, int],
    delay_seconds: float = 0.0,
    octaves: int = 0,
    driven: bool = False,
) -> list[Timbre]:
    """Sampled instruments of a folder, by file, with their weights."""
    return [
        Timbre(
            f"{folder.name}:{Path(file).stem}",
            "sampled",
            folder / file,
            weight,
            compass=compass,
            delay_seconds=delay_seconds,
            octaves=octaves,
            driven=driven,
        )
        for file, weight in files.items()
    ]


def list_fitting(part: Part, timbres: list[Timbre]) -> list[Timbre]:
    """The timbres whose compass has most notes of a part; all of them if none has."""
    pitches = Counter(note.pitch for note in part.notes)
    most = MOST_NOTES * pitches.total()
    fitting = []
    for timbre in timbres:
        low, high = timbre.compass
        if sum(count for pitch, count in pitches.items() if low <= pitch <= high) >= most:
            fitting.append(timbre)
    return fitting or timbres


def choose_timbre(rng: Random, timbres: list[Timbre], driven: bool | None = None) -> Timbre:
    """A timbre by weight; with `driven` only distorted (or undistorted) ones, if there are any."""
    fitting = [timbre for timbre in timbres if driven is None or timbre.driven == driven] or timbres
    return rng.choices(fitting, [timbre.weight for timbre in fitting])[0]
