"""Whether results are still what was made, and whether stems sum to their song."""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from msdm_cli.audio.files import PCM_BITS, SongReader
from msdm_cli.errors import AudioError, UnreadableManifest
from msdm_cli.jobs.manifest import MANIFEST, SUFFIX, Manifest, load_manifest
from msdm_cli.jobs.request import digest_input
from msdm_cli.models.verify import digest
from msdm_cli.tasks.separate import LOSSY

READ_FRAMES = 1 << 16
WORST_NULL_DB = -60.0
SILENT_PEAK = 1e-4


@dataclass
class Report:
    """What was found.

    Attributes:
        whole: Names of the files that are as they were made.
        exact: Whether the stems sum to the song, to the last bit; None if that was not looked at.
        null_db: Level of what they leave of it, relative to it; None if nothing, or if it was not looked at.
        problems: What is not as it should be.
        notes: What a person may want to know.
    """

    whole: list[str] = field(default_factory=list)
    exact: bool | None = None
    null_db: float | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_results(path: Path, song: Path | None) -> Report:
    """Compare results with their manifest, and stems with their song.

    Args:
        path: The manifest, or the folder that holds it.
        song: What was separated; where it was then, if None.

    Raises:
        UnreadableManifest: There is no manifest, or more than one.
        AudioError: The song cannot be read.
    """
    path = _find_manifest(path) if path.is_dir() else path
    manifest, report = load_manifest(path), Report()
    sound = {name: path.parent / record.path for name, record in manifest.files.items()}
    for name, record in manifest.files.items():
        problem = _check_file(sound[name], record.sha256, manifest.facts["frames"], report)
        if problem:
            report.problems.append(problem)
        else:
            report.whole.append(name)
    if manifest.job["task"] == "separate" and not report.problems:
        try:
            _check_sum(manifest, sound, song, report)
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableManifest(
                f"{path}: not a manifest of this msdm ({error})", "Make the stems again."
            ) from error
    return report


def _find_manifest(folder: Path) -> Path:
    """The manifest in a folder; one by another name, as ``--name`` makes it, if it is the only one."""
    usual = folder / f"{MANIFEST}.{SUFFIX}"
    found = [usual] if usual.exists() else sorted(folder.glob(f"*{MANIFEST}*.{SUFFIX}"))
    if len(found) != 1:
        told = (
            f"holds {', '.join(path.name for path in found)}" if found else f"holds no {usual.name}"
        )
        raise UnreadableManifest(
            f"{folder}: {told}", "Name the folder of one song's results, or their .json."
        )
    return found[0]


def _check_file(path: Path, sha256: str, frames: int, report: Report) -> str | None:
    """What is wrong with a file."""
    try:
        if digest(path) != sha256:
            return f"{path}: was changed after it was made"
        with SongReader(path) as reader:
            peak = max(float(np.abs(block).max()) for block in reader.blocks(READ_FRAMES))
            if reader.properties.frames != frames:
                return f"{path}: has {reader.properties.frames} samples, expected {frames}"
    except OSError as error:
        return f"{path}: {(error.strerror or str(error)).lower()}"
    except AudioError as error:
        return error.message
    if peak < SILENT_PEAK:
        report.notes.append(f"{path}: is silent")
    elif peak >= 1:
        report.notes.append(f"{path}: reaches full scale")
    return None


def _check_sum(
    manifest: Manifest, stems: Mapping[str, Path], asked: Path | None, report: Report
) -> None:
    options, song = manifest.job["options"], asked or Path(manifest.inputs["song"])
    if options["stems"]:
        report.notes.append("some stems alone: there is nothing to sum")
        return
    if asked is None and not song.exists():
        report.notes.append(
            f"{song}: is not there any more; name the song to compare its stems with it"
        )
        return
    if digest_input(song) != manifest.job["inputs"]["song"]:
        report.problems.append(f"{song}: is not the song that was separated")
        return
    gain, left, energy = manifest.facts["gain"], 0.0, 0.0
    subtype = manifest.facts["subtype_written"]
    bits = PCM_BITS.get(subtype, 32)
    unit = 2.0 ** (1 - bits) if bits < 32 else 0.0
    with ExitStack() as stack:
        whole = stack.enter_context(
            SongReader(song, options["start_seconds"], options["duration_seconds"])
        )
        parts = [stack.enter_context(SongReader(path)) for path in stems.values()]
        for block in whole.blocks(READ_FRAMES):
            target = gain * block.astype(np.float64)
            target = np.rint(target / unit) * unit if unit else target
            total = sum(part.read(block.shape[1]).astype(np.float64) for part in parts)
            left += float(np.square(total - target).sum())
            energy += float(np.square(target).sum())
    report.exact = not left
    report.null_db = 10 * math.log10(left / energy) if left and energy else None
    if left and (report.null_db is None or report.null_db > WORST_NULL_DB):
        leave = (
            "something of silence"
            if report.null_db is None
            else f"{report.null_db:.1f} dB of the song"
        )
        told = f"the stems leave {leave}"
        if subtype == LOSSY:
            report.notes.append(f"{told}; they are lossy")
        else:
            report.problems.append(told)
