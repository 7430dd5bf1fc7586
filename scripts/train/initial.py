"""Weights that a run begins with: measured spectra, or those of another run."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from msdm_cli.networks.stft_unet import StftUnet
from scripts.train.corpus import Augmentation, Corpus
from scripts.train.options import TrainingOptions

SD_CROPS = 200
OPTIONAL = ("attention.", "down.", "up.")
"""Beginnings of the names of layers of which two networks may have different numbers."""


class OtherNetworkError(ValueError):
    """Weights do not fit a network."""


def measure_sd(
    corpus: Corpus, network: StftUnet, options: TrainingOptions, augmentation: Augmentation
) -> Tensor:
    """Standard deviation of each stem and bin over augmented crops, smoothed over three bins.

    Shape:
        ``-> [S, bins]``
    """
    power = torch.zeros_like(network.sd)
    for index in range(SD_CROPS):
        rng = np.random.default_rng((options.seed, index))
        crop = torch.from_numpy(corpus.augmented(rng, options.length, augmentation))
        power += network.stft(crop.to(power.device)).square().sum(1).mean(-1) / SD_CROPS
    padded = nn.functional.pad(power, (1, 1), mode="replicate")
    return ((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3 + 1e-10).sqrt()


def load_initial(network: nn.Module, path: Path) -> None:
    """Load weights of a network of the same size, or of other numbers of blocks and layers.

    Blocks and attention layers that the file lacks change nothing yet. Those that the network lacks
    are left out.

    Raises:
        OtherNetworkError: They are of another network.
    """
    try:
        missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    except RuntimeError as error:
        raise OtherNetworkError(f"weights of another network: {path}") from error
    if not all(name.startswith(OPTIONAL) for name in (*missing, *unexpected)):
        raise OtherNetworkError(f"weights of another network: {path}")
