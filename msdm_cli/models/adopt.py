"""Models from checkpoints of the paper's authors or of our trainer: weights and a spec."""

import dataclasses
import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from msdm_cli.diffusion.conditions import SHARING_TRANSFORM
from msdm_cli.errors import ModelExists, UnreadableCheckpoint, UnwritableWeights
from msdm_cli.models.bounded_build import build_bounded
from msdm_cli.models.checkpoint import load_checkpoint, load_run
from msdm_cli.models.paper_presets import SIGMA_MAX, published_presets
from msdm_cli.models.registry import (
    EMBEDDED,
    ENTRY,
    WeightsEntry,
    cache_folder,
    find_entry,
    load_registry,
)
from msdm_cli.models.spec import PAPER_STEMS, ModelSpec, Stage, load_spec
from msdm_cli.models.verify import check_file, describe
from msdm_cli.networks.stft_unet import StftUnetConfig
from msdm_cli.networks.unet1d import Unet1dConfig

SAMPLE_RATE = 22050
CHUNK_LENGTH = 262144
CONTEXT = 16384
UNKNOWN_LICENCE = "not stated"

UNFIT = (
    RuntimeError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    msgspec.ValidationError,
)
"""Errors of building a network from a configuration that is none, or does not fit its weights."""

Loaded = tuple[dict[str, Tensor], dict[str, Any]]
"""The tensors of a checkpoint by name, and the fields of the network's config that it states."""


def adopt_checkpoints(
    name: str, checkpoints: Sequence[Path], description: str, licence: str
) -> WeightsEntry:
    """Turn checkpoints into a model in the cache.

    Args:
        name: Name of the new model.
        checkpoints: One checkpoint of a joint model, or one for each stem in the order of
            ``PAPER_STEMS``.
        description: One line about the model.
        licence: SPDX identifier, or what is known.

    Raises:
        UnreadableCheckpoint: The checkpoints are not those of a model.
        ModelExists: The name is taken.
        UnwritableWeights: The cache cannot be written.
    """
    if name in load_registry():
        raise ModelExists(
            f"there is a model {name} already", "Choose another name, or remove that model first."
        )
    tensors, spec = convert(name, checkpoints)
    return store_model(tensors, spec, description, licence)


def store_model(
    tensors: dict[str, Tensor], spec: ModelSpec, description: str, licence: str
) -> WeightsEntry:
    """Put a model into the cache, whole or not at all.

    Args:
        tensors: Its weights by name.
        spec: Its spec; the name there is the name of the model.
        description: One line about the model.
        licence: SPDX identifier, or what is known.

    Raises:
        UnwritableWeights: The cache cannot be written.
    """
    cache = cache_folder()
    record = {"description": description, "licence": licence}
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=cache) as temporary:
            folder = Path(temporary) / spec.name
            _write_model(folder, tensors, spec, record)
            _move(folder, cache / spec.name)
    except (OSError, SafetensorError) as error:
        raise UnwritableWeights(
            f"{cache}: cannot store the model {spec.name} ({error})",
            "Free space there, or set MSDM_CACHE to a folder that can be written.",
        ) from error
    return find_entry(spec.name)


def _write_model(
    folder: Path, tensors: dict[str, Tensor], spec: ModelSpec, record: dict[str, Any]
) -> None:
    folder.mkdir()
    weights_path = folder / f"{spec.name}.safetensors"
    spec_path = folder / f"{spec.name}.json"
    save_file({key: value.contiguous() for key, value in tensors.items()}, weights_path)
    spec.save(spec_path)
    files = {"weights": describe(weights_path), "spec": describe(spec_path)}
    record = record | {key: dataclasses.asdict(file) for key, file in files.items()}
    (folder / ENTRY).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _move(folder: Path, target: Path) -> None:
    try:
        folder.replace(target)
    except OSError:
        # Another process that imports the same model may have been first.
        if not (target / ENTRY).exists():
            raise


def convert(name: str, checkpoints: Sequence[Path]) -> tuple[dict[str, Tensor], ModelSpec]:
    """Tensors and spec of a model, checked against each other.

    Args:
        name: Name of the model.
        checkpoints: Files of the authors, or folders of runs of our trainer.

    Raises:
        UnreadableCheckpoint: They are not the checkpoints of a model.
    """
    loaded = [load_run(path) if path.is_dir() else load_checkpoint(path) for path in checkpoints]
    try:
        trained_here = "bands" in loaded[0][1]
        tensors, spec = (_describe_run if trained_here else _describe_paper_model)(name, loaded)
        network = build_bounded(spec.stage.architecture, spec.stage.config, tensors)
        network.load_state_dict(tensors, assign=True)
        _check_finite(tensors)
    except UNFIT as error:
        reason = " ".join(str(error).split())[:200]
        raise UnreadableCheckpoint(
            f"{checkpoints[0]}: does not make a model ({reason})",
            f"Import a joint model, or one checkpoint each of {', '.join(PAPER_STEMS)}, in this "
            "order.",
        ) from error
    return tensors, spec


def _check_finite(tensors: dict[str, Tensor]) -> None:
    """Refuse weights that are NaN or infinite: whatever they touch would be.

    Raises:
        ValueError: One is.
    """
    for name, value in tensors.items():
        if not value.isfinite().all():
            raise ValueError(f"{name} is not finite")


def _describe_run(name: str, loaded: list[Loaded]) -> tuple[dict[str, Tensor], ModelSpec]:
    """Tensors and spec of a run of our trainer, a network like the embedded one."""
    tensors, fields = loaded[0]
    stems = StftUnetConfig(**fields).stems
    if len(loaded) > 1 or stems != len(PAPER_STEMS):
        raise ValueError(f"{len(loaded)} runs of {stems} stems, expected one of {len(PAPER_STEMS)}")
    embedded = _load_embedded_spec()
    alone = dataclasses.replace(embedded, name=name, stages=embedded.stages[:1])
    return tensors, resize(alone, fields)


def _describe_paper_model(name: str, loaded: list[Loaded]) -> tuple[dict[str, Tensor], ModelSpec]:
    """Tensors and spec of the paper's network: one checkpoint of all stems, or one for each."""
    stems = sum(fields.get("stems", len(PAPER_STEMS)) for _, fields in loaded)
    if stems != len(PAPER_STEMS):
        raise ValueError(f"{stems} stems, expected {len(PAPER_STEMS)}")
    tensors, fields = loaded[0]
    for _, others in loaded[1:]:
        if differing := [name for name in fields if others.get(name) != fields[name]]:
            raise ValueError(f"the checkpoints differ in {', '.join(differing)}")
    per_stem = len(loaded) > 1
    if per_stem:
        tensors = {
            f"networks.{index}.{key}": value
            for index, (part, _) in enumerate(loaded)
            for key, value in part.items()
        }
    config = msgspec.convert(fields | {"stems": stems}, Unet1dConfig)
    stage = Stage(
        architecture="unet1d_per_stem" if per_stem else "unet1d",
        config=dataclasses.asdict(config),
        representation="waveform",
        presets=published_presets(per_stem=per_stem),
    )
    # Chunks are also transformed by the sampler, whose hop divides their length.
    multiple = math.lcm(config.length_multiple, SHARING_TRANSFORM[1])
    return tensors, ModelSpec(
        name=name,
        stems=PAPER_STEMS,
        sample_rate=SAMPLE_RATE,
        chunk_length=CHUNK_LENGTH // multiple * multiple,
        context=CONTEXT,
        length_multiple=multiple,
        sigma_max=SIGMA_MAX,
        stages=(stage,),
    )


def resize(spec: ModelSpec, config: dict[str, Any]) -> ModelSpec:
    """The spec with a first network of another size, and the same presets.

    Args:
        spec: Spec of a ``stft_unet``; other stages stay as they are.
        config: Fields of ``StftUnetConfig``.
    """
    sized = StftUnetConfig(**config)
    return dataclasses.replace(
        spec,
        length_multiple=sized.length_multiple,
        sigma_max=sized.sigma_max,
        stages=(dataclasses.replace(spec.stage, config=config), *spec.stages[1:]),
    )


def _load_embedded_spec() -> ModelSpec:
    entry = find_entry(EMBEDDED)
    return load_spec(check_file(entry, entry.spec))


def remove_model(entry: WeightsEntry) -> None:
    """Remove a model from the cache.

    Raises:
        ModelExists: It ships with msdm.
    """
    if entry.folder.parent != cache_folder():
        raise ModelExists(
            f"the model {entry.name} ships with msdm",
            "Only models that were fetched or imported can be removed.",
        )
    shutil.rmtree(entry.folder)
