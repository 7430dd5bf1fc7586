"""The kinds of checkpoints, and the model that each makes: its tensors and its spec."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from torch import Tensor

from msdm_cli.diffusion.conditions import SHARING_TRANSFORM
from msdm_cli.errors import UnreadableCheckpoint
from msdm_cli.models.bounded_build import build_bounded
from msdm_cli.models.checkpoint import load_checkpoint, load_run
from msdm_cli.models.demucs_checkpoint import describe_demucs, is_demucs, load_demucs
from msdm_cli.models.paper_presets import SIGMA_MAX, published_presets
from msdm_cli.models.registry import EMBEDDED, find_entry
from msdm_cli.models.runs import find_architecture, fit_spec
from msdm_cli.models.spec import PAPER_STEMS, ModelSpec, Stage, load_spec
from msdm_cli.models.verify import check_file
from msdm_cli.networks.unet1d import Unet1dConfig

SAMPLE_RATE = 22050
CHUNK_LENGTH = 262144
CONTEXT = 16384

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

Described = tuple[dict[str, dict[str, Tensor]], ModelSpec]
"""The tensors of a model by the names of its stages, and its spec."""


def convert(name: str, checkpoints: Sequence[Path]) -> Described:
    """Tensors and spec of a model, checked against each other.

    Args:
        name: Name of the model.
        checkpoints: Files of the authors, or of Demucs, or folders of runs of our trainer.

    Raises:
        UnreadableCheckpoint: They are not the checkpoints of a model.
    """
    kind = next(kind for kind in KINDS if kind.matches(checkpoints[0]))
    loaded = [kind.load(path) for path in checkpoints]
    try:
        tensors, spec = kind.describe(name, loaded)
        for stage in spec.stages:
            own = tensors[stage.name]
            network = build_bounded(stage.architecture, stage.config, own)
            network.load_state_dict(own, assign=True)
            _check_finite(own)
    except UNFIT as error:
        reason = " ".join(str(error).split())[:200]
        raise UnreadableCheckpoint(
            f"{checkpoints[0]}: does not make a model ({reason})", kind.remedy
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


def _describe_runs(name: str, loaded: list[Loaded]) -> Described:
    """Tensors and spec of runs of our trainer: networks like the embedded ones, or the paper's."""
    configs = [fields for _, fields in loaded]
    if find_architecture(configs[0]) == "unet1d":
        return _describe_paper_model(name, loaded)
    spec, runs = fit_spec(name, configs, _load_embedded_spec())
    stages = zip(spec.stages, runs, strict=True)
    return {stage.name: loaded[run][0] for stage, run in stages}, spec


def _describe_paper_model(name: str, loaded: list[Loaded]) -> Described:
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
    return {"": tensors}, ModelSpec(
        name=name,
        stems=PAPER_STEMS,
        sample_rate=SAMPLE_RATE,
        chunk_length=CHUNK_LENGTH // multiple * multiple,
        context=CONTEXT,
        length_multiple=multiple,
        sigma_max=SIGMA_MAX,
        stages=(stage,),
    )


def _describe_separator(name: str, loaded: list[Loaded]) -> Described:
    """Tensors and spec of a Demucs."""
    if len(loaded) > 1:
        raise ValueError(f"{len(loaded)} checkpoints of Demucs, expected one")
    tensors, spec = describe_demucs(name, *loaded[0])
    return {"": tensors}, spec


@dataclass(frozen=True)
class Kind:
    """A kind of checkpoints.

    Attributes:
        matches: Whether a file or folder may be one.
        load: Reads one.
        describe: Tensors and spec of the model that they make, from its name and what was read.
        remedy: What to import if they make none.
    """

    matches: Callable[[Path], bool]
    load: Callable[[Path], Loaded]
    describe: Callable[[str, list[Loaded]], Described]
    remedy: str


RUN_REMEDY = (
    "Import one run of the four stems, or three runs: of a separator, a sketch_prior and a "
    "sketch_envelope."
)
SEPARATOR_REMEDY = "Import one checkpoint of Hybrid Transformer Demucs, not several."
JOINT_REMEDY = (
    f"Import a joint model, or one checkpoint each of {', '.join(PAPER_STEMS)}, in this order."
)

KINDS = (
    Kind(Path.is_dir, load_run, _describe_runs, RUN_REMEDY),
    Kind(is_demucs, load_demucs, _describe_separator, SEPARATOR_REMEDY),
    Kind(lambda path: True, load_checkpoint, _describe_paper_model, JOINT_REMEDY),
)
"""The kinds of checkpoints; the first that matches is taken."""


def _load_embedded_spec() -> ModelSpec:
    entry = find_entry(EMBEDDED)
    return load_spec(check_file(entry, entry.spec))
