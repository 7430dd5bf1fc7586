"""Making results again from their manifest."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from msdm_cli.audio.file_source import digest_input
from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import (
    MismatchedWeights,
    ResultsExist,
    UnreadableManifest,
    UnsuitableAudio,
)
from msdm_cli.jobs.manifest import Manifest, load_manifest
from msdm_cli.jobs.paths import decode_path
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.run import JobResult, run_job
from msdm_cli.models.load import LoadedModel, load
from msdm_cli.progress import Progress

Rerun = tuple[JobResult, list[str]]
"""What was made, and the names of files that are not the same to the last bit."""


def rerun(
    path: Path,
    folder: Path,
    progress: Progress,
    *,
    inputs: Sequence[Path] = (),
    device: str | None = None,
) -> Rerun:
    """Run the job of the manifest at ``path`` again.

    Args:
        path: The manifest.
        folder: Receives the results.
        progress: Receives each network call.
        inputs: Where inputs are now, if elsewhere; they are recognised by their content.
        device: Where to run; as before if None.

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
        runtime=_find_runtime(path, manifest, device),
    )
    model = load(request.model, request.runtime)
    _check_model(path, manifest, request, model)
    result = run_job(request, model, progress)
    if result.skipped:
        raise ResultsExist(f"{result.manifest}: is there already", "Choose another folder.")
    return result, _list_changes(manifest, load_manifest(result.manifest))


def _list_changes(before: Manifest, now: Manifest) -> list[str]:
    """Names of the files that are not the same to the last bit."""
    return [
        name
        for name, record in before.files.items()
        if name not in now.files or now.files[name].sha256 != record.sha256
    ]


def _find_runtime(path: Path, manifest: Manifest, device: str | None) -> Runtime:
    """The runtime that made the results, on another device if one is asked for."""
    try:
        runtime = Runtime(**manifest.identity["runtime"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableManifest(
            f"{path}: not a manifest of this version of msdm ({error})", "Make the stems again."
        ) from error
    return dataclasses.replace(runtime, device=device) if device else runtime


def _check_model(path: Path, manifest: Manifest, request: JobRequest, model: LoadedModel) -> None:
    if model.weights_sha256 != manifest.identity["weights_sha256"]:
        raise MismatchedWeights(
            f"the model {model.spec.name} has other weights than before",
            "Install the version of msdm that made the results.",
        )
    options = request.options
    asked = {*getattr(options, "stems", ()), *getattr(options, "targets", ())}
    if unknown := asked - set(model.spec.stems):
        raise UnreadableManifest(
            f"{path}: {', '.join(sorted(unknown))} is no stem of the model",
            "Make the results again.",
        )


def _find_inputs(manifest: Manifest, given: Sequence[Path]) -> dict[str, Path]:
    """Where each input is, by its role."""
    known = {digest_input(path): path for path in given}
    found = {}
    for role, sha256 in manifest.identity["inputs"].items():
        if role not in manifest.request["inputs"]:
            raise UnsuitableAudio(
                f"the {role} of these results was in memory, not in a file",
                "Run the job again from Python.",
            )
        path = Path(decode_path(manifest.request["inputs"][role]))
        if sha256 not in known and digest_input(path) != sha256:
            raise UnsuitableAudio(
                f"{path}: is not what it was", "Name the file that it was, if it is elsewhere now."
            )
        found[role] = known.get(sha256, path)
    return found
