"""Whether results are still what was made, and whether stems sum to their song."""

import dataclasses
import math
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.formats import FORMATS, SUBTYPES
from msdm_cli.audio.source import read_all
from msdm_cli.digest import digest_file
from msdm_cli.errors import AudioError, MsdmError, UnreadableManifest
from msdm_cli.jobs.manifest import Manifest, list_manifests, load_manifest
from msdm_cli.jobs.output import MANIFEST, MANIFEST_SUFFIX
from msdm_cli.jobs.rate import read_at
from msdm_cli.jobs.remote.addresses import to_address
from msdm_cli.jobs.request import JobRequest
from msdm_cli.models.description import describe_model
from msdm_cli.tasks.separate import SONG, SeparateOptions, name_outputs

READ_FRAMES = 1 << 16
WORST_NULL_DB = -60.0
"""What stems may leave of a song: rounding leaves far less, a wrong gain far more."""
FAINT_RMS = 1e-9
"""-180 dB of full scale: a song below that is silence, of which rounding may leave more."""
SILENT_PEAK = 1e-4


@dataclass
class Report:
    """What was found.

    Attributes:
        whole: Names of the files that are as they were made.
        exact: Whether the stems sum to the song, to the last bit; None if that was not compared.
        null_db: Level of what they leave of it, relative to it; None if nothing, or not compared.
        lossy: Format of the stems if it is lossy, and they were compared.
        problems: What is wrong.
        notes: What a person may want to know.
    """

    whole: list[str] = field(default_factory=list)
    exact: bool | None = None
    null_db: float | None = None
    lossy: str | None = None
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
    manifest = load_manifest(path)
    report = Report()
    files = {name: record.locate(path.parent) for name, record in manifest.files.items()}
    for name, record in manifest.files.items():
        frames = manifest.facts.properties.frames
        problem = _check_file(files[name], record.sha256, frames, report)
        if problem:
            report.problems.append(problem)
        else:
            report.whole.append(name)
    if manifest.request["task"] != "separate":
        if song is not None:
            report.notes.append(f"{song}: is not compared, since no song was separated here")
    elif not report.problems:
        _compare(manifest, files, song, report)
    return report


def _find_manifest(folder: Path) -> Path:
    """The only manifest in a folder."""
    found = list_manifests(folder)
    if len(found) == 1:
        return found[0]
    holds = ", ".join(path.name for path in found) if found else f"no {MANIFEST}.{MANIFEST_SUFFIX}"
    raise UnreadableManifest(
        f"{folder}: holds {holds}", "Name the folder of one song's results, or their .json."
    )


def _check_file(path: Path, sha256: str, frames: int, report: Report) -> str | None:
    """What is wrong with a file."""
    try:
        if digest_file(path) != sha256:
            return f"{path}: was changed after it was made"
        source = FileSource(path)
        peak = max(float(np.abs(block).max()) for block in read_all(source, READ_FRAMES))
    except OSError as error:
        return f"{path}: {(error.strerror or str(error)).lower()}"
    except AudioError as error:
        return error.message
    if source.properties.frames != frames:
        return f"{path}: has {source.properties.frames} samples, expected {frames}"
    if peak < SILENT_PEAK:
        report.notes.append(f"{path}: is silent")
    elif peak >= 1:
        report.notes.append(f"{path}: reaches full scale")
    return None


def _compare(
    manifest: Manifest, stems: Mapping[str, Path], asked: Path | None, report: Report
) -> None:
    """Compare the sum of the stems with the song, if all that is needed is there."""
    request = manifest.parse_request()
    song = request.inputs.get(SONG)
    parts = _find_parts(request, stems)
    if not parts:
        report.notes.append("some stems alone: there is nothing to sum")
        return
    stems = {name: stems[name] for name in parts}
    if song is None:
        report.notes.append("the song was in memory: its stems are not compared with it")
        return
    song = asked or song
    if asked is None and not song.exists():
        report.notes.append(
            f"{to_address(song)}: not found from here; name the song to compare its stems with it"
        )
        return
    source = FileSource(song, request.start_seconds, request.duration_seconds)
    with suppress(AudioError):  # this reads the song once for its digest and for its length
        source.look(level=False)
    if source.digest() != manifest.identity["inputs"][SONG]:
        report.problems.append(f"{song}: is not the song that was separated")
    else:
        _check_sum(manifest, stems, source, report)


def _find_parts(request: JobRequest, written: Collection[str]) -> tuple[str, ...]:
    """Names of results that sum to the song; none if not enough was written."""
    options: SeparateOptions = request.options
    if not (options.stems or options.mixes):
        return tuple(written)
    whole = _list_whole(request)
    if whole and all(name in written for name in whole):
        return whole
    for name, gains in options.mixes.items():
        if not any(gains.values()) and all(stem in written for stem in (name, *gains)):
            return (name, *gains)
    return ()


def _list_whole(request: JobRequest) -> tuple[str, ...]:
    """All that a song consists of, if its model is still there to tell."""
    try:
        spec = describe_model(request.model, request.runtime).spec
    except MsdmError:
        return ()
    everything = dataclasses.replace(request.options, stems=(), mixes={})
    return name_outputs(spec, everything)


def _check_sum(
    manifest: Manifest, stems: Mapping[str, Path], song: FileSource, report: Report
) -> None:
    subtype = SUBTYPES[manifest.facts.subtype_written]
    suffixes = {row.suffix for row in FORMATS.values() if subtype.name in row.subtypes}
    if other := [path for path in stems.values() if path.suffix not in suffixes]:
        report.problems.append(f"{other[0]}: cannot hold {subtype.name}, as the manifest says")
        return
    unit = subtype.unit if subtype.bits in (16, 24) or subtype.lossy else 0.0
    left = energy = faint = 0.0
    with ExitStack() as stack:
        readers = [stack.enter_context(FileSource(path).open()) for path in stems.values()]
        rate = manifest.facts.properties.sample_rate
        for block in read_at(song, rate, READ_FRAMES):
            target = manifest.facts.gain * block.astype(np.float64)
            if unit:
                target = np.rint(target / unit) * unit
            total = np.sum([reader.read(block.shape[1]) for reader in readers], 0, np.float64)
            left += float(np.square(total - target).sum())
            energy += float(np.square(target).sum())
            faint += FAINT_RMS**2 * target.size
    report.exact = not left
    energy = max(energy, faint)
    report.null_db = 10 * math.log10(left / energy) if left else None
    if subtype.lossy:
        report.lossy = next(iter(stems.values())).suffix.removeprefix(".")
    if report.null_db is not None and report.null_db > WORST_NULL_DB and not report.lossy:
        report.problems.append(f"the stems leave {report.null_db:.1f} dB of the song")
