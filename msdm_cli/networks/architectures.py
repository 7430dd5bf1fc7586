"""From a spec to a network of PyTorch."""

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from msdm_cli.errors import IncompatibleCheckpoint
from msdm_cli.models.registry import REINSTALL, WeightsEntry, weights_folder
from msdm_cli.models.spec import ModelSpec
from msdm_cli.models.verify import check_file
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.networks.unet1d import PerStemUnet1d, Unet1d, Unet1dConfig

Network = StftUnet | Unet1d | PerStemUnet1d


def load_network(entry: WeightsEntry, spec: ModelSpec) -> Network:
    """A network with its weights.

    Raises:
        MissingWeights: They are not here.
        ChecksumMismatch: They are not the registered ones.
        IncompatibleCheckpoint: They do not fit the spec.
    """
    path = check_file(entry, entry.weights)
    try:
        network = build_network(spec)
        # Tensors that are float32 already stay where they are: mapped from the file, without a copy.
        network.load_state_dict(
            {key: value.float() for key, value in load_file(path).items()}, assign=True
        )
    except (SafetensorError, RuntimeError, TypeError, ValueError) as error:
        remedy = f"Say msdm weights remove {entry.name}, and fetch it again."
        raise IncompatibleCheckpoint(
            f"{path}: does not fit its spec ({' '.join(str(error).split())})",
            REINSTALL if entry.folder == weights_folder() else remedy,
        ) from error
    return network


def build_network(spec: ModelSpec) -> Network:
    """The network of a spec, without its weights.

    Raises:
        ValueError, TypeError: The spec describes none.
    """
    if spec.architecture == "stft_unet":
        return StftUnet(StftUnetConfig(**spec.config))
    with torch.device(
        "meta"
    ):  # hundreds of millions of weights need not be drawn only to be replaced
        if spec.architecture == "unet1d":
            return Unet1d(Unet1dConfig(**spec.config))
        if spec.architecture == "unet1d_per_stem":
            return PerStemUnet1d(Unet1dConfig(**spec.config))
    raise ValueError(f"unknown architecture {spec.architecture}")
