"""The architectures, by name. To add one, write a module with its network, and add a row here."""

from collections.abc import Mapping
from typing import Any

import msgspec
import torch

from msdm_cli.networks.demucs import Demucs, DemucsConfig
from msdm_cli.networks.network import Architecture, Network
from msdm_cli.networks.sketch_envelope import SketchEnvelope, SketchEnvelopeConfig
from msdm_cli.networks.sketch_prior import SketchPrior, SketchPriorConfig
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.networks.unet1d import PerStemUnet1d, Unet1d, Unet1dConfig


def _build_unet1d(config: Unet1dConfig) -> Network:
    # 405 million weights need not be drawn only to be replaced.
    with torch.device("meta"):
        return Unet1d(config)


def _build_per_stem(config: Unet1dConfig) -> Network:
    with torch.device("meta"):
        return PerStemUnet1d(config)


ARCHITECTURES: dict[str, Architecture] = {
    row.name: row
    for row in (
        Architecture("stft_unet", StftUnetConfig, StftUnet),
        Architecture("sketch_prior", SketchPriorConfig, SketchPrior),
        Architecture("sketch_envelope", SketchEnvelopeConfig, SketchEnvelope),
        Architecture("unet1d", Unet1dConfig, _build_unet1d),
        Architecture("unet1d_per_stem", Unet1dConfig, _build_per_stem),
        Architecture("demucs", DemucsConfig, Demucs),
    )
}


def build_network(architecture: str, config: Mapping[str, Any]) -> Network:
    """A network without its weights.

    Args:
        architecture: Name of the architecture.
        config: Fields of its config.

    Raises:
        ValueError: There is no such architecture, or no such config.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ValueError(f"expected an architecture of {known}, got {architecture}")
    row = ARCHITECTURES[architecture]
    try:
        return row.build(msgspec.convert(dict(config), row.config))
    except msgspec.ValidationError as error:
        raise ValueError(f"expected a config of {architecture} ({error})") from error
