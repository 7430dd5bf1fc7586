"""Making results again from their manifest."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msdm_cli.audio.file_source import FileSource, digest_input
from msdm_cli.audio.source import AudioSource, read_all
from msdm_cli.backends.runtime import Runtime
from msdm_cli.digest import digest_file
from msdm_cli.errors import (
    AudioError,
    MismatchedWeights,
    ResultsExist,
    UnreadableManifest,
    UnsuitableAudio,
)
from msdm_cli.jobs.identity import describe_differences
from msdm_cli.jobs.manifest import Manifest, load_manifest
from msdm_cli.jobs.paths import decode_path
from msdm_cli.jobs.remote.addresses import is_address, to_address
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult
from msdm_cli.jobs.run import run_job
from msdm_cli.models.description import describe_model
from msdm_cli.models.load import load
from msdm_cli.models.spec import ModelSpec
from msdm_cli.progress import Progress
from msdm_cli.tasks.absent import list_present

READ_FRAMES = 1 << 16


Made = tuple[Manifest, Path]
"""A manifest, and the folder that it lies in."""


@dataclass(frozen=True)
class Rerun:
    """What a rerun has made, and how it differs from what was there.

    Attributes:
        result: What was made.
        changed: Files that are not the same to the last bit, by name, with their largest
            difference in dB relative to full scale: minus infinity if the samples are the same,
            None if there is nothing to compare.
        differences: How versions, threads, processor and device differ, a sentence each.
    """

    result: JobResult
    changed: dict[str, float | None]
    differences: list[str]


def rerun(
    path: Path,
    folder: Path,
    progress: Progress,
    *,
    inputs: Sequence[Path] = (),
    device: str | None = None,
    threads: int | None = None,
) -> Rerun:
    """Run the job of the manifest at ``path`` again.

    Args:
        path: The manifest.
        folder: Receives the results.
        progress: Receives each network call.
        inputs: Where inputs are now, if elsewhere; they are recognised by their content.
        device: Where to run; as before if None.
        threads: Threads of a CPU; as before if None.

    Raises:
        UnreadableManifest: This version of msdm cannot run it again.
        AudioError: An input is not there, or is not what it was.
        ResultsExist: There are results in the folder.
        MismatchedWeights: The model has other weights than before.
    """
    manifest = load_manifest(path)
    request = dataclasses.replace(
        manifest.parse_request(),
        inputs=_find_inputs(manifest, inputs),
        folder=folder,
        overwrite=False,
        runtime=_find_runtime(path, manifest, device, threads),
    )
    spec = _check_model(path, manifest, request)
    sources = _open_inputs(manifest, request, spec)
    result = run_job(request, load(request.model, request.runtime), progress, sources)
    if result.skipped:
        raise ResultsExist(f"{result.manifest}: is there already", "Choose another folder.")
    return _compare_results((manifest, path.parent), result)


def _compare_results(before: Made, result: JobResult) -> Rerun:
    """What was made, and how it differs from what was there."""
    now = load_manifest(result.manifest)
    changed = _list_changes(before, (now, result.manifest.parent))
    return Rerun(result, changed, describe_differences(before[0].identity, now.identity))


def _list_changes(before: Made, now: Made) -> dict[str, float | None]:
    """The largest difference of each file that is not the same to the last bit, by name."""
    changes = {}
    for name, record in before[0].files.items():
        other = now[0].files.get(name)
        if other is None or other.sha256 != record.sha256:
            was = record.locate(before[1])
            # A file that was changed since says nothing about the rerun.
            known = other is not None and was.exists() and digest_file(was) == record.sha256
            changes[name] = _compare(was, other.locate(now[1])) if other and known else None
    return changes


def _compare(one: Path, two: Path) -> float | None:
    """Largest difference of two sound files in dB relative to full scale.

    None if they have other lengths, or one cannot be read.
    """
    try:
        sources = (FileSource(one), FileSource(two))
        if sources[0].properties != sources[1].properties:
            return None
        pairs = zip(*(read_all(source, READ_FRAMES) for source in sources), strict=True)
        largest = max(float(np.abs(a.astype(np.float64) - b).max()) for a, b in pairs)
    except (AudioError, OSError, ValueError):
        return None
    return 20 * math.log10(largest) if largest else -math.inf


def _find_runtime(
    path: Path, manifest: Manifest, device: str | None, threads: int | None
) -> Runtime:
    """The runtime that made the results, on another device or with other threads if asked for."""
    try:
        runtime = Runtime(**manifest.identity["runtime"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableManifest(
            f"{path}: not a manifest of this version of msdm ({error})", "Make the stems again."
        ) from error
    return dataclasses.replace(
        runtime,
        device=device or runtime.device,
        threads=runtime.threads if threads is None else threads,
    )


def _check_model(path: Path, manifest: Manifest, request: JobRequest) -> ModelSpec:
    """The spec of the model, which has the weights and the stems that it had."""
    model = describe_model(request.model, request.runtime)
    if model.weights_sha256 != manifest.identity["weights_sha256"]:
        raise MismatchedWeights(
            f"the model {model.spec.name} has other weights than before",
            "Install the version of msdm that made the results.",
        )
    options = request.options
    absent = getattr(options, "absent", ())
    asked = {*getattr(options, "stems", ()), *getattr(options, "targets", ()), *absent}
    reason = None
    if unknown := asked - set(model.spec.stems):
        reason = f"{', '.join(sorted(unknown))} is no stem of the model"
    elif not list_present(model.spec, absent):
        reason = "all stems of the model are absent"
    if reason:
        raise UnreadableManifest(f"{path}: {reason}", "Make the results again.")
    return model.spec


def _find_inputs(manifest: Manifest, given: Sequence[Path]) -> dict[str, Path]:
    """Where each input is, by its role: a given file of the same content, or where it was."""
    known = {digest_input(path): path for path in given}
    found = {}
    for role, sha256 in manifest.identity["inputs"].items():
        if role not in manifest.request["inputs"]:
            raise UnsuitableAudio(
                f"the {role} of these results was in memory, not in a file",
                "Run the job again from Python.",
            )
        path = known.get(sha256, Path(decode_path(manifest.request["inputs"][role])))
        if is_address(path) and not path.exists():
            raise UnsuitableAudio(
                f"{to_address(path)}: is not on this machine", "Download it, and name the file."
            )
        found[role] = path
    return found


def _open_inputs(
    manifest: Manifest, request: JobRequest, spec: ModelSpec
) -> Mapping[str, AudioSource]:
    """The inputs, which were looked at and are what they were."""
    sources = request.open_inputs()
    request.row.look(spec, sources)
    for role, source in sources.items():
        if source.digest() != manifest.identity["inputs"][role]:
            raise UnsuitableAudio(
                f"{request.inputs[role]}: is not what it was",
                "Name the file that it was, if it is elsewhere now.",
            )
    return sources
