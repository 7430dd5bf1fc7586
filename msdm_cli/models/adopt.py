"""Making a model from checkpoints, the authors' or our trainer's: tensors as safetensors, and a spec."""

import dataclasses
import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from msdm_cli.errors import IncompatibleCheckpoint, UnwritableWeights
from msdm_cli.models.checkpoint import load_checkpoint, load_run
from msdm_cli.models.registry import (
    EMBEDDED,
    ENTRY,
    WeightsEntry,
    cache_folder,
    find_entry,
    load_registry,
)
from msdm_cli.models.spec import ModelSpec, Preset, load_spec
from msdm_cli.models.verify import check_file, describe
from msdm_cli.networks.architectures import build_network
from msdm_cli.networks.stft_unet import StftUnetConfig
from msdm_cli.networks.unet1d import Unet1dConfig

STEMS = ("bass", "drums", "guitar", "piano")
SAMPLE_RATE = 22050
CHUNK_LENGTH = 262144
CONTEXT = 16384
LENGTH_UNIT = 512  # hop of the transform that shares out what is left of a mixture
SIGMA_MAX = 20.0
UNKNOWN_LICENCE = "not stated"


def published_presets(*, per_stem: bool) -> dict[str, dict[str, Preset]]:
    """The paper's settings by the name of the sampler, and ours by quality.

    Independent priors know nothing of each other: they do not impute or generate.
    """
    separation = Preset(num_steps=150, sigma_max=1.0, sigma_min=1e-4, num_resamples=2)
    continuation = Preset(
        num_steps=150, sigma_max=SIGMA_MAX, sigma_min=1e-4, sampler="published", churn=20.0
    )
    separate = {
        quality: dataclasses.replace(separation, num_steps=steps, sigma_min=1e-3, num_resamples=1)
        for quality, steps in (("fast", 10), ("default", 20), ("best", 30))
    }
    separate["dirac"] = dataclasses.replace(
        separation, sampler="dirac", churn=40.0 if per_stem else 20.0
    )
    separate["gaussian"] = dataclasses.replace(separation, sampler="gaussian", churn=40.0)
    if per_stem:
        return {"separate": separate, "impute": {}, "generate": {}}
    unconditional = {
        quality: Preset(num_steps=steps, sigma_max=SIGMA_MAX, eta=0.0)
        for quality, steps in (("fast", 25), ("default", 50), ("best", 100))
    }
    impute = unconditional | {
        "published": dataclasses.replace(continuation, num_steps=256, churn=10.0)
    }
    return {
        "separate": separate,
        "impute": impute,
        "generate": unconditional | {"published": continuation},
    }


def adopt_checkpoints(
    name: str, checkpoints: Sequence[Path], description: str, licence: str
) -> WeightsEntry:
    """Turn checkpoints into a model in the cache.

    Args:
        name: What commands will call it.
        checkpoints: One of a joint model, or one per stem in the order of the stems.
        description: One line for a person.
        licence: SPDX identifier, or what is known.

    Raises:
        IncompatibleCheckpoint: A checkpoint is not one of the paper's network, or the name is taken.
        UnwritableWeights: The cache or the disk refuses the model.
    """
    if name in load_registry():
        raise IncompatibleCheckpoint(
            f"there is a model {name} already",
            f"Give another --name, or say msdm weights remove {name} first.",
        )
    tensors, spec = convert(name, checkpoints)
    cache = cache_folder()
    try:
        _keep(cache, tensors, spec, {"description": description, "licence": licence})
    except (OSError, SafetensorError) as error:
        raise UnwritableWeights(
            f"{cache}: cannot take the model {name} ({error})",
            "Make room there, or set MSDM_CACHE to a folder that can be written.",
        ) from error
    return find_entry(name)


def _keep(cache: Path, tensors: dict[str, Tensor], spec: ModelSpec, record: dict[str, Any]) -> None:
    """Put a model into the cache, whole or not at all."""
    name = spec.name
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=cache) as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        save_file(
            {key: value.contiguous() for key, value in tensors.items()},
            folder / f"{name}.safetensors",
        )
        spec.save(folder / f"{name}.json")
        files = {
            "weights": describe(folder / f"{name}.safetensors"),
            "spec": describe(folder / f"{name}.json"),
        }
        record = record | {key: dataclasses.asdict(file) for key, file in files.items()}
        (folder / ENTRY).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        try:
            folder.replace(cache / name)
        except OSError:  # another process was first, with the same files
            if not (cache / name / ENTRY).exists():
                raise


def convert(name: str, checkpoints: Sequence[Path]) -> tuple[dict[str, Tensor], ModelSpec]:
    """Tensors and spec of a model, checked against each other.

    Args:
        name: Name of the model.
        checkpoints: Files of the authors', or folders of runs of our trainer.

    Raises:
        IncompatibleCheckpoint: They do not fit each other.
    """
    loaded = [load_run(path) if path.is_dir() else load_checkpoint(path) for path in checkpoints]
    try:
        tensors, spec = _describe(name, loaded)
        build_network(spec).load_state_dict(tensors, assign=True)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise IncompatibleCheckpoint(
            f"{checkpoints[0]}: the tensors do not make a model ({reason})",
            f"Import a joint model, or one checkpoint each of {', '.join(STEMS)}, in this order.",
        ) from error
    return tensors, spec


def _describe(
    name: str, loaded: list[tuple[dict[str, Tensor], dict[str, Any]]]
) -> tuple[dict[str, Tensor], ModelSpec]:
    tensors, told = loaded[0]
    if "bands" in told:
        config = StftUnetConfig(**told)
        if len(loaded) > 1 or config.stems != len(STEMS):
            raise ValueError(
                f"{len(loaded)} runs of {config.stems} stems, expected one of {len(STEMS)}"
            )
        return tensors, dataclasses.replace(resize(_embedded_spec(), told), name=name)
    stems = [part["stems"] if "stems" in part else len(STEMS) for _, part in loaded]
    if sum(stems) != len(STEMS):
        raise ValueError(f"{sum(stems)} stems, expected {len(STEMS)}")
    per_stem = len(loaded) > 1
    if per_stem:
        tensors = {
            f"networks.{index}.{key}": value
            for index, (part, _) in enumerate(loaded)
            for key, value in part.items()
        }
    sized = Unet1dConfig(**told | {"stems": len(STEMS)})
    multiple = math.lcm(sized.length_multiple, LENGTH_UNIT)
    return tensors, ModelSpec(
        name=name,
        architecture="unet1d_per_stem" if per_stem else "unet1d",
        config=dataclasses.asdict(sized),
        stems=STEMS,
        sample_rate=SAMPLE_RATE,
        chunk_length=CHUNK_LENGTH // multiple * multiple,
        context=CONTEXT,
        length_multiple=multiple,
        sigma_max=SIGMA_MAX,
        presets=published_presets(per_stem=per_stem),
    )


def resize(spec: ModelSpec, config: dict[str, Any]) -> ModelSpec:
    """The spec of a network of another size (fields of ``StftUnetConfig``), under the same presets."""
    sized = StftUnetConfig(**config)
    return dataclasses.replace(
        spec, config=config, length_multiple=sized.length_multiple, sigma_max=sized.sigma_max
    )


def _embedded_spec() -> ModelSpec:
    entry = find_entry(EMBEDDED)
    return load_spec(check_file(entry, entry.spec))


def remove_model(entry: WeightsEntry) -> None:
    """Remove a model from the cache.

    Raises:
        IncompatibleCheckpoint: It ships with msdm.
    """
    if entry.folder.parent != cache_folder():
        raise IncompatibleCheckpoint(
            f"the model {entry.name} ships with msdm", "Only cached models can be removed."
        )
    shutil.rmtree(entry.folder)
