"""What decides the samples of a job: the same identity gives the same bytes on the same machine."""

import importlib
import platform
import secrets
from collections.abc import Mapping
from typing import Any

from msdm_cli import __version__
from msdm_cli.jobs.request import JobRequest
from msdm_cli.models.load import LoadedModel

PLACES = ("inputs", "folder", "track", "overwrite")
"""Fields of a request that say where things lie, and change no sample."""

MODULES = {"torch": "torch", "onnx": "onnxruntime"}
"""The module of a backend, whose version decides the last bits."""

OUTPUT = 8
"""Raised when the same request gives other samples. Unfinished jobs then start again.

7: the request and its identity. 8: quiet songs are brought to the level of training; a resampling
filter that keeps the band up to 10.5 kHz; highs go to the stems that sound just below them.
"""


def identify(request: JobRequest, model: LoadedModel, digests: Mapping[str, str]) -> dict[str, Any]:
    """The identity of a job, in terms of JSON.

    Args:
        request: The job.
        model: The loaded model.
        digests: sha256 of each input, by its role.
    """
    fields = {key: value for key, value in request.to_json().items() if key not in PLACES}
    module = MODULES[model.runtime.backend]
    runtime = model.runtime
    return {
        **fields,
        "runtime": {
            "backend": runtime.backend,
            "device": runtime.device,
            "precision": runtime.precision,
        },
        "weights_sha256": model.weights_sha256,
        "chunk_length": model.spec.chunk_length,
        "context": model.spec.context,
        "inputs": dict(digests),
        "versions": {
            "msdm": __version__,
            "output": str(OUTPUT),
            module: str(importlib.import_module(module).__version__),
            "platform": f"{platform.system()} {platform.machine()}",
        },
    }


def draw_seed() -> int:
    """A new seed, short enough to be typed again."""
    return secrets.randbelow(1 << 32)


def get_seed(identity: Mapping[str, Any]) -> int | None:
    """The seed of a job; None if its sampler uses none."""
    seed: int | None = identity["options"]["seed"]
    return seed


def find_difference(one: Mapping[str, Any], two: Mapping[str, Any]) -> str | None:
    """The first difference of two identities, such as ``options.preset.eta``; None if equal."""
    for key in dict.fromkeys((*one, *two)):
        a = one.get(key)
        b = two.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            if inner := find_difference(a, b):
                return f"{key}.{inner}"
        elif a != b:
            return key
    return None


def is_same_but_seed(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Whether two identities differ in nothing, or in the seed alone."""
    seedless = [{**job, "options": {**job["options"], "seed": None}} for job in (one, two)]
    return find_difference(*seedless) is None
