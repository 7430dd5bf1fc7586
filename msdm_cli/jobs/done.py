"""Whether the results of a job are there already: known from its manifest, without the network.

Nothing is decoded and no model is loaded for that. An input is read, for its digest, if all else
fits.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from msdm_cli.audio.source import AudioSource
from msdm_cli.backends.runtime import AUTO, Runtime
from msdm_cli.errors import UnreadableManifest
from msdm_cli.jobs.identity import (
    describe_job,
    find_difference,
    forget_machine,
    is_same_but_seed,
)
from msdm_cli.jobs.journal import discard_journal
from msdm_cli.jobs.manifest import Manifest, load_manifest
from msdm_cli.jobs.output import check_links
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult, recall
from msdm_cli.models.description import describe_model
from msdm_cli.models.spec import ModelSpec


class KnownModel(Protocol):
    """A model, loaded or not."""

    @property
    def spec(self) -> ModelSpec:
        """What the model is."""
        ...

    @property
    def runtime(self) -> Runtime:
        """What runs the network, or shall run it."""
        ...

    @property
    def weights_sha256(self) -> str:
        """Digest of the weights."""
        ...


def find_result(request: JobRequest) -> JobResult | None:
    """What an earlier run of a job has made, if it is all there. No model is loaded.

    Raises:
        AudioError: An input cannot be read.
        UnwritableResults: The folder of the results is a link.
        WeightsError: The model is not on this machine.
        UnreadableSpec: Its spec is of another version.
    """
    model = describe_model(request.model, request.runtime)
    done = find_done(request, model, request.open_inputs())
    return None if done is None else recall(request.manifest, done)


def find_done(
    request: JobRequest, model: KnownModel, sources: Mapping[str, AudioSource]
) -> Manifest | None:
    """The manifest of what an earlier run of a job has made, if it is all there.

    Where a job leaves device or precision open, those of the earlier run are right, and so is its
    seed where it leaves the seed open.

    Args:
        request: The job.
        model: Its model.
        sources: Its inputs, by role.

    Raises:
        AudioError: An input cannot be read.
        UnwritableResults: The folder of the results is a link.
    """
    check_links(request.folder, [request.manifest])
    if request.overwrite:
        return None
    try:
        manifest = load_manifest(request.manifest)
    except UnreadableManifest:
        return None
    if not manifest.files.keys() >= {*request.row.name_outputs(model.spec, request.options)}:
        return None
    folder = request.manifest.parent
    records = manifest.files.values()
    if not all(_has_size(record.locate(folder), record.size_bytes) for record in records):
        return None
    made = manifest.identity
    if not _would_make(request, model, made):
        return None
    if {role: source.digest() for role, source in sources.items()} != made["inputs"]:
        return None
    # A run that was killed at its very end leaves a journal beside complete results.
    discard_journal(request.journal, made)
    return manifest


def _would_make(request: JobRequest, model: KnownModel, made: Mapping[str, Any]) -> bool:
    """Whether a job has an identity, if its inputs do."""
    preset = request.options.preset
    if not preset.uses_noise:
        request = request.with_seed(None)
    runtime = _resolve(model.runtime, made)
    asked = forget_machine(describe_job(request, model.spec, runtime, model.weights_sha256))
    asked["inputs"] = made["inputs"]
    if preset.uses_noise and request.options.seed is None:
        return is_same_but_seed(asked, forget_machine(made))
    return find_difference(asked, forget_machine(made)) is None


def _resolve(asked: Runtime, made: Mapping[str, Any]) -> Runtime:
    """A runtime with what another one has where it says ``auto``."""
    other = made["runtime"] if isinstance(made.get("runtime"), Mapping) else {}
    backend = "torch" if asked.backend == AUTO else asked.backend
    left_open = [name for name in ("device", "precision") if getattr(asked, name) == AUTO]
    found = {name: other[name] for name in left_open if name in other}
    try:
        return dataclasses.replace(asked, backend=backend, **found)
    except ValueError:  # no runtime of this version
        return dataclasses.replace(asked, backend=backend)


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except OSError:
        return False
