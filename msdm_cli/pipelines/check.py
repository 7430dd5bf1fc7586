"""Whether results are still what was made, and whether stems sum to their song."""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from msdm_cli.audio.files import SongReader
from msdm_cli.errors import AudioError
from msdm_cli.hub.verify import digest
from msdm_cli.pipelines.manifest import MANIFEST, SUFFIX, Manifest, load_manifest

READ_FRAMES = 1 << 16
WORST_NULL_DB = -60.0
SILENT_PEAK = 1e-4


@dataclass
class Report:
    """What was found.

    Attributes:
        null_db: Level of what the stems leave of the song, relative to it; -inf if nothing; None if not measured.
        peaks: Largest absolute value of each file.
        problems: What is not as it should be.
        notes: What a person may want to know.
    """

    null_db: float | None = None
    peaks: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_results(path: Path, song: Path | None) -> Report:
    """Compare results with their manifest, and stems with their song.

    Args:
        path: The manifest, or the folder that holds it.
        song: What was separated; where it was then, if None.

    Raises:
        UnreadableManifest: There is no manifest.
        AudioError: The song cannot be read.
    """
    path = path / f"{MANIFEST}.{SUFFIX}" if path.is_dir() else path
    manifest, report = load_manifest(path), Report()
    sound = {name: path.parent / record.path for name, record in manifest.files.items()}
    for name, record in manifest.files.items():
        _check_file(sound[name], record.sha256, int(manifest.facts["frames"]), report)
    if manifest.job["task"] == "separate" and not report.problems:
        _check_sum(manifest, sound, song or Path(manifest.inputs["song"]), report, asked=song is not None)
    return report


def _check_file(path: Path, sha256: str, frames: int, report: Report) -> None:
    try:
        if digest(path) != sha256:
            report.problems.append(f"{path}: was changed after it was made")
            return
        with SongReader(path) as reader:
            peak = max(float(np.abs(block).max()) for block in reader.blocks(READ_FRAMES))
            if reader.properties.frames != frames:
                report.problems.append(f"{path}: has {reader.properties.frames} samples, expected {frames}")
    except OSError as error:
        report.problems.append(f"{path}: {(error.strerror or str(error)).lower()}")
        return
    except AudioError as error:
        report.problems.append(error.message)
        return
    report.peaks[path.name] = peak
    if peak < SILENT_PEAK:
        report.notes.append(f"{path}: is silent")
    elif peak >= 1:
        report.notes.append(f"{path}: reaches full scale")


def _check_sum(manifest: Manifest, stems: Mapping[str, Path], song: Path, report: Report, *, asked: bool) -> None:
    options = manifest.job["options"]
    if options["stems"]:
        report.notes.append("some stems alone: there is nothing to sum")
        return
    if not asked and not song.exists():
        report.notes.append(f"{song}: is not there any more; name the song to compare its stems with it")
        return
    if digest(song) != manifest.job["inputs"]["song"]:
        report.problems.append(f"{song}: is not the song that was separated")
        return
    gain, left, energy = 10 ** (float(manifest.facts["gain_db"]) / 20), 0.0, 0.0
    with ExitStack() as stack:
        whole = stack.enter_context(SongReader(song, options["start_seconds"], options["duration_seconds"]))
        parts = [stack.enter_context(SongReader(path)) for path in stems.values()]
        for block in whole.blocks(READ_FRAMES):
            target = gain * block.astype(np.float64)
            total = sum(part.read(block.shape[1]).astype(np.float64) for part in parts)
            left += float(np.square(total - target).sum())
            energy += float(np.square(target).sum())
    report.null_db = 10 * math.log10(left / energy) if left and energy else -math.inf
    if report.null_db > WORST_NULL_DB:
        report.problems.append(f"the stems leave {report.null_db:.1f} dB of the song")
