"""The catalogue of timbres for each stem: those of Debian's packages and of the shared folder."""

from pathlib import Path

from scripts.dataset.fetched import list_fetched
from scripts.dataset.timbres import FLUID, MUSESCORE, SOUNDFONTS, Timbre, presets, sampled

DRUMKITS = Path("/usr/share/hydrogen/data/drumkits")
AIRFONT = "sf2/A320U.sf2"  # of Debian's denemo-data
TIM = "sf2/TimGM6mb.sf2"
GMBANK = "sf2/sf_GMbank.sf2"


def _piano(instruments: Path) -> list[Timbre]:
    programs = {0: 2.0, 1: 2.0, 2: 1.0, 3: 0.8, 4: 0.3, 5: 0.25}
    return [
        *presets(FLUID, 0, programs),
        *presets(MUSESCORE, 0, programs),
        *presets(MUSESCORE, 8, {0: 2.0, 4: 0.1}),
        *presets(AIRFONT, 0, {0: 5.0, 2: 2.5}),
        *presets(TIM, 0, programs),
        *presets(GMBANK, 0, {0: 0.4, 1: 0.4, 2: 0.2}),
        *sampled(instruments / "SplendidGrandPiano", {"Splendid Grand Piano.sfz": 5.0}, (21, 108)),
        *sampled(instruments / "UprightPianoKW", {"UprightPianoKW-20220221.sfz": 4.0}, (21, 108)),
        Timbre("struck", "struck", None, 5.0),
    ]


def _guitar(instruments: Path) -> list[Timbre]:
    programs = {24: 1.0, 25: 1.2, 26: 1.0, 27: 1.2, 28: 0.4, 29: 1.0, 30: 1.0}
    emily = {"emily_basic.sfz": 1.6, "emily_clean.sfz": 1.6}
    spanish = {"SpanishClassicalGuitar-20190618.sfz": 2.5}
    shiny = {"Programs/acoustic_standalone.sfz": 2.0, "Programs/electric_standalone.sfz": 2.0}
    return [
        *presets(FLUID, 0, programs),
        *presets(FLUID, 8, {25: 1.0, 26: 0.3, 28: 0.5, 30: 0.3}),
        *presets(MUSESCORE, 0, programs),
        *presets(MUSESCORE, 8, {24: 0.3, 25: 1.0, 26: 0.3, 28: 0.5}),
        *presets(AIRFONT, 0, {24: 2.0, 25: 2.0, 27: 2.0, 28: 0.5, 29: 1.5, 30: 1.5}),
        *presets(TIM, 0, programs),
        *presets(GMBANK, 0, {25: 0.2, 27: 0.2, 30: 0.2}),
        *sampled(instruments / "EmilyGuitar", emily, (36, 84)),
        *sampled(instruments / "SpanishClassicalGuitar", spanish, (40, 88), 0.008),
        *sampled(instruments / "ShinyGuitar", shiny, (33, 84)),
        Timbre("plucked", "plucked", None, 1.6),
    ]


def _bass(instruments: Path) -> list[Timbre]:
    programs = {32: 1.0, 33: 1.5, 34: 1.2, 35: 0.8, 36: 0.7, 37: 0.6, 38: 0.6, 39: 0.5}
    growly = dict.fromkeys((f"growlybass_{name}.sfz" for name in ("clean", "dirty", "angry")), 1.3)
    fashion = {"fashionbass.sfz": 1.2, "fashionbass_clean.sfz": 1.8}
    yr = {"FingerBassYR 20190930.sfz": 2.0, "PickedBassYR 20190930.sfz": 2.0}
    return [
        *presets(FLUID, 0, programs),
        *presets(FLUID, 8, {38: 0.4, 39: 0.4}),
        *presets(MUSESCORE, 0, programs),
        *presets(MUSESCORE, 8, {38: 0.4, 39: 0.4}),
        *presets(AIRFONT, 0, {32: 1.0, 33: 1.5, 34: 1.5, 36: 0.7, 37: 0.7}),
        *presets(TIM, 0, programs),
        *presets(GMBANK, 0, {33: 0.3, 34: 0.3}),
        *sampled(instruments / "GrowlyBass", growly, (33, 72), octaves=1),
        *sampled(instruments / "FashionBass", fashion, (24, 58)),
        *sampled(instruments / "ElectricBassYR", yr, (28, 46)),
        Timbre("plucked", "plucked", None, 1.2),
    ]


def _drums() -> list[Timbre]:
    fluid = dict.fromkeys((*range(20), 24, 25, *range(32, 37), *range(40, 43)), 1.0)
    small = {0: 1.0, 8: 1.0, 16: 1.0, 24: 1.0, 25: 1.0, 32: 1.0, 40: 1.0}
    kits = {
        "Audiophob": 1.5,
        "BJA_Pacific": 4.0,
        "ColomboAcousticDrumkit": 3.0,
        "ElectricEmpireKit": 2.0,
        "ForzeeStereo": 4.0,
        "Gimme A Hand 1.0": 1.0,
        "HardElectro1": 1.5,
        "Millo-Drums_v.1": 3.0,
        "Millo_MultiLayered2": 3.5,
        "Millo_MultiLayered3": 3.5,
        "The Black Pearl 1.0": 4.0,
        "VariBreaks": 2.5,
        "circAfrique v4": 1.0,
        "rumpf_kit_z01_h2": 2.5,
    }
    return [
        *presets(FLUID, 128, fluid, 0.5),
        *presets(MUSESCORE, 128, fluid, 0.5),
        *presets(TIM, 128, small),
        *presets(GMBANK, 128, small, 0.3),
        *(Timbre(name, "hydrogen", DRUMKITS / name, weight) for name, weight in kits.items()),
        Timbre("Black_Pearl_4_LV2", "soundfont", SOUNDFONTS / "sf2/Black_Pearl_4_LV2.sf2", 4.0),
        Timbre("Red_Zeppelin_4_LV2", "soundfont", SOUNDFONTS / "sf2/Red_Zeppelin_4_LV2.sf2", 4.0),
        Timbre("machine", "machine", None, 8.0),
    ]


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
        more = list_fetched(fetched)
        stems = more | {stem: more[stem] + stems[stem] for stem in ("bass", "drums")}
    return {
        stem: [timbre for timbre in timbres if timbre.held_out == validation]
        for stem, timbres in stems.items()
    }
