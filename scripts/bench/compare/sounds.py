"""Whether two folders of results hold the same sound files, sample for sample."""

from pathlib import Path

import numpy as np
import soundfile

SUFFIXES = (".wav", ".flac", ".ogg")
INTEGER = ("PCM_16", "PCM_24", "PCM_32")


def find_difference(old: Path, new: Path) -> tuple[int, str]:
    """Number of files, and what differs between two folders; "" if nothing does."""
    expected = list_sounds(old)
    found = list_sounds(new)
    if not expected:
        return 0, "no files"
    if expected != found:
        return len(found), "other names: " + ", ".join(sorted(expected ^ found))
    differences = [compare_sound(old / name, new / name) for name in sorted(expected)]
    return len(differences), ", ".join(filter(None, differences))


def list_sounds(folder: Path) -> set[str]:
    """Paths of sound files in a folder, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in SUFFIXES}


def compare_sound(old: Path, new: Path) -> str:
    """How two sound files differ; "" if their formats and samples are the same."""
    expected, found = (_describe(path) for path in (old, new))
    if expected != found:
        return f"{new.name}: {found} instead of {expected}"
    whole = soundfile.info(old).subtype in INTEGER
    dtype = "int32" if whole else "float64"
    before, after = (soundfile.read(path, dtype=dtype)[0] for path in (old, new))
    if np.array_equal(before, after):
        return ""
    full_scale = 2.0**31 if whole else 1.0
    largest = np.abs(after.astype(np.float64) - before).max() / full_scale
    return f"{new.name}: up to {largest:.1e} of full scale"


def _describe(path: Path) -> str:
    info = soundfile.info(path)
    length = f"{info.frames} frames at {info.samplerate} Hz"
    return f"{info.format} {info.subtype}, {info.channels} x {length}"
