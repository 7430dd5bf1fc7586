"""The state of a training run, and the folder it lives in."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor, nn

from scripts.train.optimizers import build_optimizers
from scripts.train.options import TrainingOptions
from scripts.train.validation import Validator

CHECKPOINT = "last.ckpt"
BEST = "best.safetensors"
LOG = "log.jsonl"


class Run:
    """A network in training.

    Args:
        fabric: Of the processes, launched.
        folder: Receives the checkpoint, the best weights and the log.
        network: What is trained.
        objective: Its loss, which holds the network.
        options: What is computed.

    Attributes:
        average: Moving average of the weights, by name.
        step: Steps that are done.
        best: Highest figure of a validation so far.
        seconds: Wall time of all steps.
        cpu_seconds: Processor time of all steps and processes.
        objective: The loss as ``fabric`` has set it up.
    """

    def __init__(
        self,
        fabric: Fabric,
        folder: Path,
        network: Any,
        objective: nn.Module,
        options: TrainingOptions,
    ) -> None:
        self.fabric = fabric
        self.folder = folder
        self.network = network
        self.options = options
        self._optimizers = build_optimizers(network, options)
        self.objective, *self.optimizers = fabric.setup(objective, *self._optimizers)
        self.average: dict[str, Tensor] = {}
        self.step = 0
        self.best = float("-inf")
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
            "best": self.best,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
        }

    def save(self) -> None:
        """Write the checkpoint, never half."""
        if self.fabric.is_global_zero:
            temporary = self.folder / f"{CHECKPOINT}.part"
            torch.save(self.state(), temporary)
            temporary.replace(self.folder / CHECKPOINT)

    def resume(self) -> bool:
        """Load the checkpoint; whether there was one."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.average = state["average"]
        self.step = state["step"]
        self.best = state["best"]
        self.seconds = state["seconds"]
        self.cpu_seconds = state["cpu_seconds"]
        return True

    def begin_average(self) -> None:
        """Let the moving average begin with the present weights."""
        self.average = self._copy_weights()

    def update_average(self) -> None:
        """Move the average of the weights towards the present ones, faster at the start."""
        decay = min(self.options.ema_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            average = self.average[name].to(value.device)
            self.average[name] = average.lerp_(value.detach(), 1 - decay)

    def log(self, **fields: object) -> None:
        """Print a line for a person, and write one for a machine."""
        if not self.fabric.is_global_zero:
            return
        record = {
            "step": self.step,
            "hours": round(self.seconds / 3600, 3),
            "core_hours": round(self.cpu_seconds / 3600, 3),
            **fields,
        }
        with (self.folder / LOG).open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(" ".join(f"{key}={value}" for key, value in record.items()), flush=True)

    def validate(self, validation: Validator) -> None:
        """Score the averaged weights, and keep them if they are the best so far."""
        trained = self._copy_weights()
        self.network.load_state_dict(self.average)
        figures = validation.score(self.network)
        figure = figures.pop("figure")
        if figure > self.best:
            self.best = figure
            if self.fabric.is_global_zero:
                save_weights(self.average, self.folder / BEST)
        self.network.load_state_dict(trained)
        self.log(**{name: round(value, 3) for name, value in figures.items()})

    def _copy_weights(self) -> dict[str, Tensor]:
        state = self.network.state_dict()
        return {name: value.detach().clone() for name, value in state.items()}


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write weights as safetensors, never half."""
    temporary = path.with_name(f"{path.name}.part")
    save_file({name: value.cpu().contiguous() for name, value in weights.items()}, temporary)
    temporary.replace(path)
