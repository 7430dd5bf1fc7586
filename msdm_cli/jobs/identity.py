"""What decides the samples of a job: the same identity gives the same bytes on the same machine."""

import dataclasses
import os
import platform
import secrets
from collections.abc import Mapping
from typing import Any

from msdm_cli import __version__
from msdm_cli.backends.processor import name_processors
from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.versions import find_versions
from msdm_cli.jobs.request import JobRequest
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec

PLACES = ("inputs", "folder", "track", "overwrite")
"""Fields of a request that say where things lie, and change no sample."""

OUTPUT = 14
"""Raised when the same request gives other samples. Unfinished jobs then start again.

14 brought generated music that is nearer to the key that is asked for.
"""


def identify(request: JobRequest, model: LoadedModel, digests: Mapping[str, str]) -> dict[str, Any]:
    """The identity of a job, in terms of JSON.

    Args:
        request: The job.
        model: The loaded model.
        digests: sha256 of each input, by its role.
    """
    described = describe_job(request, model.spec, model.runtime, model.weights_sha256)
    versions = {**described["versions"], "processor": _name_processor(model.runtime)}
    return {**described, "inputs": dict(digests), "versions": versions}


def describe_job(
    request: JobRequest, spec: ModelSpec, runtime: Runtime, weights_sha256: str
) -> dict[str, Any]:
    """The identity of a job but for its inputs and the processor. Nothing is loaded for that."""
    fields = {key: value for key, value in request.to_json().items() if key not in PLACES}
    return {
        **fields,
        "runtime": dataclasses.asdict(runtime),
        "weights_sha256": weights_sha256,
        "chunk_length": spec.chunk_length,
        "context": spec.context,
        **_describe_sketch(request.task, spec),
        "versions": {
            "msdm": __version__,
            "output": str(OUTPUT),
            **find_versions(runtime.backend),
            "platform": f"{platform.system()} {platform.machine()}",
        },
    }


def _describe_sketch(task: str, spec: ModelSpec) -> dict[str, object]:
    """What the spec says of a sketch and of how it is told; nothing for a task without one."""
    stages = [spec.stages[index] for index in spec.list_stages(task)]
    if len(stages) < 2:
        return {}
    return {"guidance": stages[0].guidance, "told_error": stages[-1].told_error}


def _name_processor(runtime: Runtime) -> str:
    """What computes: it decides the last bits, with the threads."""
    processor = name_processors(runtime)
    if runtime.backend == "onnx" and not runtime.threads:
        # ONNX Runtime takes a thread for each core then, and does not say how many.
        processor = f"{processor}, {os.cpu_count()} cores"
    return processor


def forget_machine(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity without threads and processor, which change the last bits alone.

    Results of another machine are results of the job. An unfinished job is not continued there,
    because its chunks would not fit each other to the last bit.
    """
    left = dict(identity)
    for key, name in (("runtime", "threads"), ("versions", "processor")):
        if isinstance(left.get(key), Mapping):
            left[key] = {field: value for field, value in left[key].items() if field != name}
    return left


def describe_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """How versions, threads, processor and device of two identities differ, a sentence each."""
    sentences = []
    for key in ("runtime", "versions"):
        one = before.get(key, {})
        two = now.get(key, {})
        sentences += [
            f"{name}: {one.get(name, 'not known')} before, {two.get(name, 'not known')} now"
            for name in dict.fromkeys((*one, *two))
            if one.get(name) != two.get(name)
        ]
    return sentences


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
