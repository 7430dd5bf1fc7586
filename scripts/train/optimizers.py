"""Which optimizer steps for which weights."""

from typing import Any

import torch
from torch import nn

from scripts.train.muon import Muon
from scripts.train.options import TrainingOptions

BETAS = (0.9, 0.99)


def build_optimizers(network: nn.Module, options: TrainingOptions) -> list[torch.optim.Optimizer]:
    """AdamW, and with ``muon`` Muon before it.

    Muon takes linear layers (not those of single bands) and two-dimensional convolutions.
    """
    parameters = list(network.parameters())
    optimizers: list[torch.optim.Optimizer] = []
    if options.muon:
        groups = list_matrices(network)
        optimizers.append(Muon(groups, options.learning_rate, weight_decay=options.weight_decay))
        parameters = [parameter for parameter in parameters if parameter.ndim not in (2, 4)]
    decay = options.weight_decay
    adam = torch.optim.AdamW(parameters, options.learning_rate, BETAS, weight_decay=decay)
    return [*optimizers, adam]


def list_matrices(network: nn.Module) -> list[dict[str, Any]]:
    """Groups of Muon: weights that are one matrix, and those that are three in one.

    Queries, keys and values are stacked. As one matrix, the gradient of the values would leave
    queries and keys where they began.
    """
    single = []
    stacked = []
    for name, parameter in network.named_parameters():
        if name.endswith("qkv.weight"):
            stacked.append(parameter)
        elif parameter.ndim in (2, 4):
            single.append(parameter)
    return [{"params": single}, {"params": stacked, "parts": 3}]
