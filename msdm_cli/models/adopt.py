"""Making a model of ours from checkpoints of the paper's network: tensors as safetensors, and a spec."""

import dataclasses
import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from msdm_cli.errors import IncompatibleCheckpoint
from msdm_cli.hub.checkpoint import load_checkpoint
from msdm_cli.hub.registry import ENTRY, WeightsEntry, cache_folder, find_entry, load_registry
from msdm_cli.hub.verify import describe
from msdm_cli.models.load import build_network
from msdm_cli.models.spec import ModelSpec, Preset
from msdm_cli.models.unet1d import Unet1dConfig

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
    continuation = Preset(num_steps=150, sigma_max=SIGMA_MAX, sigma_min=1e-4, sampler="published", churn=20.0)
    separate = {
        quality: dataclasses.replace(separation, num_steps=steps, sigma_min=1e-3, num_resamples=1)
        for quality, steps in (("fast", 10), ("default", 20), ("best", 30))
    }
    separate["dirac"] = dataclasses.replace(separation, sampler="dirac", churn=40.0 if per_stem else 20.0)
    separate["gaussian"] = dataclasses.replace(separation, sampler="gaussian", churn=40.0)
    if per_stem:
        return {"separate": separate, "impute": {}, "generate": {}}
    unconditional = {
        quality: Preset(num_steps=steps, sigma_max=SIGMA_MAX, eta=0.0)
        for quality, steps in (("fast", 25), ("default", 50), ("best", 100))
    }
    impute = unconditional | {"published": dataclasses.replace(continuation, num_steps=256, churn=10.0)}
    return {"separate": separate, "impute": impute, "generate": unconditional | {"published": continuation}}


def adopt_checkpoints(name: str, checkpoints: Sequence[Path], description: str, licence: str) -> WeightsEntry:
    """Turn checkpoints into a model in the cache.

    Args:
        name: What commands will call it.
        checkpoints: One of a joint model, or one per stem in the order of the stems.
        description: One line for a person.
        licence: SPDX identifier, or what is known.

    Raises:
        IncompatibleCheckpoint: A checkpoint is not one of the paper's network, or the name is taken.
    """
    if name in load_registry():
        raise IncompatibleCheckpoint(
            f"there is a model {name} already", f"Give another --name, or say msdm weights remove {name} first."
        )
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=cache) as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        tensors, spec = convert(name, checkpoints)
        save_file(tensors, folder / f"{name}.safetensors")
        spec.save(folder / f"{name}.json")
        files = {
            "weights": describe(folder / f"{name}.safetensors"),
            "spec": describe(folder / f"{name}.json"),
        }
        record: dict[str, Any] = {"description": description, "licence": licence}
        record |= {key: dataclasses.asdict(file) for key, file in files.items()}
        (folder / ENTRY).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        try:
            folder.replace(cache / name)
        except OSError:  # another process was first, with the same files
            if not (cache / name / ENTRY).exists():
                raise
    return find_entry(name)


def convert(name: str, checkpoints: Sequence[Path]) -> tuple[dict[str, Tensor], ModelSpec]:
    """Tensors and spec of a model, checked against each other.

    Raises:
        IncompatibleCheckpoint: They do not fit each other.
    """
    loaded = [load_checkpoint(path) for path in checkpoints]
    tensors, told = loaded[0]
    stems = tensors["patch.conv_in.weight"].shape[1]
    if len(loaded) > 1:
        tensors = {
            f"networks.{index}.{key}": value for index, (part, _) in enumerate(loaded) for key, value in part.items()
        }
        stems = sum(part["patch.conv_in.weight"].shape[1] for part, _ in loaded)
    if stems != len(STEMS):
        raise IncompatibleCheckpoint(
            f"{checkpoints[0]}: has {stems} stems, expected {len(STEMS)}",
            f"Import a joint model, or one checkpoint each of {', '.join(STEMS)}, in this order.",
        )
    return tensors, _checked_spec(name, told | {"stems": stems}, tensors, per_stem=len(loaded) > 1)


def _checked_spec(name: str, told: dict[str, Any], tensors: dict[str, Tensor], *, per_stem: bool) -> ModelSpec:
    try:
        config = Unet1dConfig(**told)
        multiple = math.lcm(config.length_multiple, LENGTH_UNIT)
        spec = ModelSpec(
            name=name,
            architecture="unet1d_per_stem" if per_stem else "unet1d",
            config=dataclasses.asdict(config),
            stems=STEMS,
            sample_rate=SAMPLE_RATE,
            chunk_length=CHUNK_LENGTH // multiple * multiple,
            context=CONTEXT,
            length_multiple=multiple,
            sigma_max=SIGMA_MAX,
            presets=published_presets(per_stem=per_stem),
        )
        build_network(spec).load_state_dict(tensors, assign=True)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise IncompatibleCheckpoint(
            f"the tensors of {name} do not fit the network they claim to be of ({reason})",
            "Import a checkpoint of MSDM that its authors' code wrote.",
        ) from error
    return spec


def remove_model(entry: WeightsEntry) -> None:
    """Remove a model from the cache.

    Raises:
        IncompatibleCheckpoint: It ships with msdm.
    """
    if entry.folder.parent != cache_folder():
        raise IncompatibleCheckpoint(f"the model {entry.name} ships with msdm", "Only cached models can be removed.")
    shutil.rmtree(entry.folder)
