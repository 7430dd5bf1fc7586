"""Making results again from their manifest."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import (
    IncompatibleCheckpoint,
    UnreadableAudio,
    UnreadableManifest,
    UnsuitableAudio,
    UnwritableAudio,
)
from msdm_cli.jobs.manifest import Manifest, load_manifest
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.jobs.request import digest_input
from msdm_cli.jobs.run import Done
from msdm_cli.models.load import Model, load_model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import Progress
from msdm_cli.tasks.generate import GenerateOptions, generate_song
from msdm_cli.tasks.impute import ImputeOptions, impute_stems
from msdm_cli.tasks.separate import SeparateOptions, separate_song

OPTIONS: dict[str, type[Any]] = {
    "separate": SeparateOptions,
    "impute": ImputeOptions,
    "generate": GenerateOptions,
}
ELSEWHERE = "Say --input PATH, if it is somewhere else now."


def rerun(
    path: Path,
    folder: Path,
    progress: Progress,
    *,
    inputs: Sequence[Path] = (),
    device: str | None = None,
) -> tuple[Done, list[str]]:
    """Do the work of a manifest again.

    Args:
        path: The manifest.
        folder: Receives the results.
        progress: Told of each network call.
        inputs: Where inputs are now, if not where they were; they are known by their content.
        device: Where to run; as then if None.

    Returns:
        What was done, and the names of files that are not the same to the last bit.

    Raises:
        UnreadableManifest: It is not a manifest that this msdm can do again.
        AudioError: An input is not there, or not what it was; or there are results in the folder.
        WeightsError: The model is not there.
        IncompatibleCheckpoint: It is not what it was.
    """
    manifest = load_manifest(path)
    task, options = _rebuild(path, manifest)
    found = _find_inputs(manifest, inputs)
    model = load_model(manifest.job["model"], _find_runtime(path, manifest, device))
    if model.weights_sha256 != manifest.job["weights_sha256"]:
        raise IncompatibleCheckpoint(
            f"the model {model.spec.name} has other weights than then",
            "Install the msdm that made the results.",
        )
    if unknown := {*getattr(options, "stems", ()), *getattr(options, "targets", ())} - set(
        model.spec.stems
    ):
        raise UnreadableManifest(
            f"{path}: {', '.join(unknown)} is no stem of the model", "Make the results anew."
        )
    done = _do(task, model, found, folder, options, progress)
    if done.skipped:
        raise UnwritableAudio(f"{done.manifest}: is there already", "Choose another -o.")
    made = load_manifest(done.manifest).files
    return done, [
        name
        for name in manifest.files
        if name not in made or made[name].sha256 != manifest.files[name].sha256
    ]


def _find_runtime(path: Path, manifest: Manifest, device: str | None) -> Runtime:
    try:
        runtime = Runtime(**manifest.job["runtime"])
    except (TypeError, ValueError) as error:
        raise UnreadableManifest(
            f"{path}: not a manifest of this msdm ({error})", "Make the stems again."
        ) from error
    return dataclasses.replace(runtime, device=device) if device else runtime


def _do(
    task: str,
    model: Model,
    inputs: Mapping[str, Path],
    folder: Path,
    options: Any,
    progress: Progress,
) -> Done:
    if task == "separate":
        return separate_song(model, inputs["song"], folder, options, progress)
    if task == "impute":
        return impute_stems(model, inputs, folder, options, progress)
    return generate_song(model, folder, options, progress)


def _find_inputs(manifest: Manifest, given: Sequence[Path]) -> dict[str, Path]:
    """Where each input is, by its role."""
    known = {digest_input(path): path for path in given}
    found = {}
    for role, sha256 in manifest.job["inputs"].items():
        path = Path(manifest.inputs[role])
        if sha256 not in known:
            try:
                same = digest_input(path) == sha256
            except UnreadableAudio as error:
                raise UnreadableAudio(error.message, ELSEWHERE) from error
            if not same:
                raise UnsuitableAudio(f"{path}: is not what it was", ELSEWHERE)
        found[role] = known.get(sha256, path)
    return found


def _rebuild(path: Path, manifest: Manifest) -> tuple[str, Any]:
    """The task, and its options."""
    try:
        task = manifest.job["task"]
        kind, told = OPTIONS[task], manifest.job["options"]
        fields = {
            field.name: tuple(told[field.name])
            if isinstance(told[field.name], list)
            else told[field.name]
            for field in dataclasses.fields(kind)
            if field.name in told
        }
        fields |= {"preset": Preset(**told["preset"]), "output": OutputOptions(**told["output"])}
        return task, kind(**fields, seed=manifest.seed)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableManifest(
            f"{path}: cannot be done again by this msdm ({error})",
            "Install the msdm that wrote it.",
        ) from error
