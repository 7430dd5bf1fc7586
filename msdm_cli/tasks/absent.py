"""Stems of which a person says that a song does not have them.

A separator may call a guitar a piano in a song without a piano. An absent stem is known and silent:
the network hears silence for it, at noise level 0, and the other stems share the whole song.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.samplers import SAMPLERS, Preset
from msdm_cli.errors import MissingPreset, MissingTask
from msdm_cli.models.spec import ModelSpec

TELLABLE = ("stft_unet",)
"""Architectures that hear which stems are known beside the mixture.

Those of the paper have one noise level for all stems and do not hear the mixture. Demucs hears the
mixture without the given stems, and for silent ones that is the same mixture.
"""


def list_present(spec: ModelSpec, absent: Collection[str]) -> tuple[str, ...]:
    """The stems of a model that a song may have, in the order of the network."""
    return tuple(stem for stem in spec.stems if stem not in absent)


def find_absent(spec: ModelSpec, absent: Collection[str]) -> NDArray[np.bool_]:
    """Which stems of a model are absent, ``-> [S]``."""
    return np.array([stem in absent for stem in spec.stems])


def check_tellable(spec: ModelSpec, preset: Preset) -> None:
    """Make sure that a model can be told which stems are absent.

    Raises:
        MissingTask: Its network does not hear of it.
        MissingPreset: The sampler does not tell the network.
    """
    if spec.stage.architecture not in TELLABLE:  # the first stage separates
        raise MissingTask(
            f"the network of the model {spec.name} cannot be told that a stem is absent",
            "Leave open what is absent, or choose another model.",
        )
    if not SAMPLERS[preset.sampler].with_known:
        raise MissingPreset(
            f"the sampler {preset.sampler} does not tell the network that a stem is absent",
            "Others do.",
        )


def check_absent(spec: ModelSpec, preset: Preset, absent: Collection[str]) -> None:
    """Refuse absent stems that a model does not have, or cannot be told of.

    Raises:
        MissingPreset: The model cannot be told, or not by that sampler.
        ValueError: A stem is unknown, or none is left.
    """
    if not absent:
        return
    check_tellable(spec, preset)
    if unknown := [stem for stem in absent if stem not in spec.stems]:
        raise ValueError(
            f"expected absent stems of {', '.join(spec.stems)}, got {', '.join(unknown)}"
        )
    if not list_present(spec, absent):
        raise ValueError(f"expected a stem that is not absent, got {', '.join(absent)}")
