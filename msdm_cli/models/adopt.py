"""Models from checkpoints of the paper's authors, of our trainer, or of Demucs."""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from msdm_cli.errors import ModelExists, UnwritableWeights
from msdm_cli.models.kinds import convert
from msdm_cli.models.registry import (
    ENTRY,
    WeightsEntry,
    cache_folder,
    find_entry,
    load_registry,
)
from msdm_cli.models.spec import ModelSpec
from msdm_cli.models.verify import describe

UNKNOWN_LICENCE = "not stated"

StageTensors = Mapping[str, Mapping[str, Tensor]]
"""The weights of a model: by the name of the stage, then by their own."""


def adopt_checkpoints(
    name: str, checkpoints: Sequence[Path], description: str, licence: str
) -> WeightsEntry:
    """Turn checkpoints into a model in the cache.

    Args:
        name: Name of the new model.
        checkpoints: One checkpoint of a joint model, or one for each stem in the order of
            ``PAPER_STEMS``. Or folders of runs of our trainer: that of a separator, or also those
            of a sketch_prior and a sketch_envelope, in any order.
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
    tensors: StageTensors, spec: ModelSpec, description: str, licence: str
) -> WeightsEntry:
    """Put a model into the cache, whole or not at all.

    Args:
        tensors: The weights of each stage.
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
    folder: Path, tensors: StageTensors, spec: ModelSpec, record: dict[str, Any]
) -> None:
    folder.mkdir()
    spec_path = folder / f"{spec.name}.json"
    spec.save(spec_path)
    stages = {}
    for stage, own in tensors.items():
        path = folder / f"{'-'.join(filter(None, (spec.name, stage)))}.safetensors"
        save_file({key: value.contiguous() for key, value in own.items()}, path)
        stages[stage] = dataclasses.asdict(describe(path))
    files = {"weights": stages.pop(""), "spec": dataclasses.asdict(describe(spec_path))}
    record = record | files | ({"stages": stages} if stages else {})
    (folder / ENTRY).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _move(folder: Path, target: Path) -> None:
    try:
        folder.replace(target)
    except OSError:
        # Another process that imports the same model may have been first.
        if not (target / ENTRY).exists():
            raise


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
