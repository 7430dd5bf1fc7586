"""Where a run computes, and in what precision."""

from enum import Enum
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision


class Precision(str, Enum):
    """What can be computed in.

    Half precision (fp16) is missing: its gradients need a scale, which two optimizers do not share.
    """

    single = "32-true"
    bfloat16 = "bf16-mixed"


class Mixed(MixedPrecision):
    """Autocast that leaves the inputs of the objective as they are.

    Fabric's own would round stems, sigmas and noise, and CUDA has no Fourier transform of bfloat16.
    """

    def convert_input(self, data: Any) -> Any:
        """The inputs of a module, unchanged."""
        return data


def launch(accelerator: str, devices: int, precision: Precision) -> Fabric:
    """Start the processes of a run."""
    on_cpu = accelerator == "cpu" or (accelerator == "auto" and not torch.cuda.is_available())
    mixed = None
    if precision is Precision.bfloat16:
        mixed = Mixed(precision.value, "cpu" if on_cpu else "cuda")
    fabric = Fabric(accelerator=accelerator, devices=devices, plugins=mixed)
    fabric.launch()
    return fabric
