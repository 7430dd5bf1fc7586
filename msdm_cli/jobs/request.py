"""What decides the samples of a piece of work: the same job gives the same bytes on the same machine."""

import dataclasses
import importlib
import json
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msdm_cli import __version__
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio
from msdm_cli.models.load import Model
from msdm_cli.models.verify import digest

IRRELEVANT = ("seed", "overwrite")
MODULES = {"torch": "torch", "onnx": "onnxruntime"}
OUTPUT = 6
"""Raised with every **Output:** entry of the changelog: what was begun before does not go on after it."""


@dataclass(frozen=True)
class Job:
    """A piece of work.

    Attributes:
        task: separate, impute or generate.
        model: Name of the model.
        weights_sha256: Its weights.
        runtime: What runs it: backend, device, precision.
        seed: Seed of the noise.
        options: How, as JSON: sampler settings, chunks, what is written.
        inputs: sha256 of each input by its role.
        versions: Of msdm, what runs the network, and the platform.
    """

    task: str
    model: str
    weights_sha256: str
    runtime: Mapping[str, str]
    seed: int
    options: Mapping[str, Any]
    inputs: Mapping[str, str]
    versions: Mapping[str, str]

    def describe(self) -> dict[str, Any]:
        """The job as JSON has it."""
        description: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return description


def describe_job(
    task: str, model: Model, seed: int | None, options: Any, inputs: Mapping[str, Path]
) -> Job:
    """The job of a task.

    Args:
        task: Its name.
        model: The model.
        seed: Seed of the noise; drawn if None, short enough to be typed again.
        options: Its options, a dataclass.
        inputs: Files by role.

    Raises:
        UnreadableAudio: An input cannot be read.
    """
    told = _without(dataclasses.asdict(options), IRRELEVANT)
    module = MODULES[model.runtime.backend]
    geometry = {"chunk_length": model.spec.chunk_length, "context": model.spec.context}
    return Job(
        task=task,
        model=model.spec.name,
        weights_sha256=model.weights_sha256,
        runtime=dataclasses.asdict(model.runtime),
        seed=secrets.randbelow(1 << 32) if seed is None else seed,
        options=json.loads(json.dumps(told | geometry)),
        inputs={role: digest_input(path) for role, path in inputs.items()},
        versions={
            "msdm": __version__,
            "output": str(OUTPUT),
            module: importlib.import_module(module).__version__,
            "platform": f"{platform.system()} {platform.machine()}",
        },
    )


def find_difference(one: Mapping[str, Any], two: Mapping[str, Any]) -> str | None:
    """What tells two descriptions apart first, such as ``options.preset.eta``; None if nothing does."""
    for key in dict.fromkeys((*one, *two)):
        a, b = one.get(key), two.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            if inner := find_difference(a, b):
                return f"{key}.{inner}"
        elif a != b:
            return key
    return None


def _without(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: _without(value, names) if isinstance(value, dict) else value
        for key, value in fields.items()
        if key not in names
    }


def digest_input(path: Path) -> str:
    """The sha256 of an input.

    Raises:
        UnreadableAudio: It cannot be read.
    """
    try:
        return digest(path)
    except OSError as error:
        raise UnreadableAudio(
            f"{path}: {(error.strerror or str(error)).lower()}", "Check the name."
        ) from error


def check_unchanged(inputs: Mapping[str, Path], job: Job) -> None:
    """Make sure that what was read is what the job is of.

    Raises:
        AudioError: An input has changed since the work began, or is not there any more.
    """
    for role, path in inputs.items():
        if digest_input(path) != job.inputs[role]:
            raise UnsuitableAudio(
                f"{path}: has changed while it was read", "Say the same again when it is finished."
            )
