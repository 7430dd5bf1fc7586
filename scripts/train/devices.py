"""Where a run computes, and in what precision."""

import os
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


PLACE = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK")
"""Variables that tell a machine where the first one is, and which one it is itself."""


class UnknownPlaceError(Exception):
    """A machine of several does not know which one it is."""


def check_place(num_nodes: int) -> None:
    """Refuse one of several machines that would wait for the others for ever.

    Raises:
        UnknownPlaceError: Neither variables nor Slurm say where it is.
    """
    missing = [name for name in PLACE if name not in os.environ]
    if num_nodes > 1 and missing and "SLURM_JOB_ID" not in os.environ:
        raise UnknownPlaceError(f"several machines need {', '.join(missing)}, or srun of Slurm")


def launch(accelerator: str, devices: int, precision: Precision, num_nodes: int = 1) -> Fabric:
    """Start the processes of a run on this machine; others have the same command.

    Raises:
        UnknownPlaceError: This is one machine of several, and does not know which.
    """
    check_place(num_nodes)
    on_cpu = accelerator == "cpu" or (accelerator == "auto" and not torch.cuda.is_available())
    mixed = None
    if precision is Precision.bfloat16:
        mixed = Mixed(precision.value, "cpu" if on_cpu else "cuda")
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=num_nodes, plugins=mixed)
    fabric.launch()
    return fabric


def leave() -> None:
    """Close the group that joins the processes of a run, if there are several.

    Left open, a thread of it can abort Python at its exit.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
