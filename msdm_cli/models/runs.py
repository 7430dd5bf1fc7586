"""Models from runs of our trainer: a separator alone, or with the two networks of music."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from msdm_cli.models.spec import PAPER_STEMS, ModelSpec
from msdm_cli.networks.stft_unet import StftUnetConfig
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES

TELLING = {"hidden": "sketch_envelope", "coefficients": "sketch_prior", "bands": "stft_unet"}
"""Architecture by a field that tells it; the first that a config has counts."""


def find_architecture(fields: Mapping[str, Any]) -> str:
    """The architecture that a run's config is of; "unet1d" where no field tells."""
    return next((name for field, name in TELLING.items() if field in fields), "unet1d")


def fit_spec(
    name: str, configs: Sequence[Mapping[str, Any]], embedded: ModelSpec
) -> tuple[ModelSpec, list[int]]:
    """The spec of a model that runs make.

    Args:
        name: Name of the model.
        configs: Config of each run: of a separator, or of one network of each stage.
        embedded: Spec of the embedded model, whose presets it has.

    Returns:
        The spec, and for each of its stages the index of its run.

    Raises:
        ValueError: The runs are of other networks, or not of four stems.
    """
    found = [find_architecture(fields) for fields in configs]
    stages = embedded.stages if len(configs) > 1 else embedded.stages[:1]
    wanted = [stage.architecture for stage in stages]
    if sorted(found) != sorted(wanted):
        raise ValueError(
            f"runs of {', '.join(found)}; expected one of {wanted[0]}, or one each of "
            f"{', '.join(stage.architecture for stage in embedded.stages)}"
        )
    for fields in configs:
        if fields.get("stems", len(PAPER_STEMS)) != len(PAPER_STEMS):
            raise ValueError(f"a run of {fields['stems']} stems, expected {len(PAPER_STEMS)}")
    runs = [found.index(architecture) for architecture in wanted]
    sized = tuple(
        dataclasses.replace(stage, config=dict(configs[run]))
        for stage, run in zip(stages, runs, strict=True)
    )
    alone = dataclasses.replace(embedded, name=name, stages=sized)
    return resize(alone, dict(configs[runs[0]])), runs


def resize(spec: ModelSpec, config: dict[str, Any]) -> ModelSpec:
    """The spec with a first network of another size, and the same presets.

    Args:
        spec: Spec of a ``stft_unet``; other stages stay as they are.
        config: Fields of ``StftUnetConfig``.
    """
    sized = StftUnetConfig(**config)
    # A chunk goes through all networks; those of music take tokens.
    multiple = TOKEN_SAMPLES if spec.stages[1:] else 1
    return dataclasses.replace(
        spec,
        length_multiple=math.lcm(sized.length_multiple, multiple),
        sigma_max=sized.sigma_max,
        stages=(dataclasses.replace(spec.stage, config=config), *spec.stages[1:]),
    )
