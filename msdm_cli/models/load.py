"""From a name to a network that runs."""

from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from msdm_cli.diffusion.denoiser import Denoiser
from msdm_cli.errors import IncompatibleCheckpoint
from msdm_cli.hub.registry import REINSTALL, find_entry, weights_folder
from msdm_cli.hub.verify import check_file
from msdm_cli.models.spec import ModelSpec, load_spec
from msdm_cli.models.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.models.torch_backend import Network, TorchDenoiser, resolve_device
from msdm_cli.models.unet1d import PerStemUnet1d, Unet1d, Unet1dConfig


@dataclass(frozen=True)
class Model:
    """A network and what it is.

    Attributes:
        spec: What it is.
        denoiser: The network.
        device: Where it runs.
        weights_sha256: Which weights it has.
    """

    spec: ModelSpec
    denoiser: Denoiser
    device: torch.device
    weights_sha256: str = ""


def load_model(name: str, device: str = "auto") -> Model:
    """Load a registered model.

    Args:
        name: Name in the registry.
        device: auto, cpu, cuda, cuda:N or mps.

    Raises:
        UnknownWeights: No model has that name.
        MissingWeights: Its files are not here.
        ChecksumMismatch: Its files are not the registered ones.
        IncompatibleCheckpoint: Weights and spec do not fit each other.
        BackendUnavailable: The device is not there.
    """
    target = resolve_device(device)
    entry = find_entry(name)
    spec = load_spec(check_file(entry, entry.spec))
    path = check_file(entry, entry.weights)
    try:
        network = build_network(spec)
        # Tensors that are float32 already stay where they are: mapped from the file, without a copy.
        network.load_state_dict({key: value.float() for key, value in load_file(path).items()}, assign=True)
    except (SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise IncompatibleCheckpoint(
            f"{path}: does not fit its spec ({' '.join(str(error).split())})",
            REINSTALL if entry.folder == weights_folder() else f"Say msdm weights remove {name}, and fetch it again.",
        ) from error
    return Model(spec, TorchDenoiser(network, target), target, entry.weights.sha256)


def build_network(spec: ModelSpec) -> Network:
    """The network of a spec, without its weights.

    Raises:
        ValueError, TypeError: The spec describes none.
    """
    if spec.architecture == "stft_unet":
        return StftUnet(StftUnetConfig(**spec.config))
    with torch.device("meta"):  # hundreds of millions of weights need not be drawn only to be replaced
        if spec.architecture == "unet1d":
            return Unet1d(Unet1dConfig(**spec.config))
        if spec.architecture == "unet1d_per_stem":
            return PerStemUnet1d(Unet1dConfig(**spec.config))
    raise ValueError(f"unknown architecture {spec.architecture}")
