"""The steps of a training."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from scripts.train.batches import Batch
from scripts.train.run import Run
from scripts.train.validation import Validator

LOG_EVERY = 50


def train(run: Run, batches: Iterable[Batch], validation: Validator, every: int) -> None:
    """Train to the end of the batches.

    Args:
        run: What is trained.
        batches: One a step, from the step after the last.
        validation: What chooses a checkpoint.
        every: Steps from one validation, and checkpoint, to the next.
    """
    devices = run.fabric.world_size
    began = time.monotonic() - run.seconds
    cpu_began = time.process_time() - run.cpu_seconds / devices
    losses = []
    for batch in batches:
        losses.append(take_step(run, batch))
        run.seconds = time.monotonic() - began
        run.cpu_seconds = (time.process_time() - cpu_began) * devices
        run.update_average()
        if run.step % LOG_EVERY == 0:
            run.log(loss=round(float(np.mean(losses)), 4), lr=run.options.rate(run.step))
            losses.clear()
        if run.step % every == 0 or run.step == run.options.steps:
            run.validate(validation)
            run.save()


def take_step(run: Run, batch: Batch) -> float:
    """Move the weights once, and give the loss of the batch before."""
    run.objective.zero_grad()
    inputs = run.fabric.to_device(batch)
    if run.options.crop_norm is None:
        loss = run.objective(*inputs).mean()
        run.fabric.backward(loss)
        clip_grad_norm_(run.objective.parameters(), max_norm=1.0, error_if_nonfinite=True)
    else:
        loss = backward_by_crop(run.fabric, run.objective, inputs, run.options.crop_norm)
    for optimizer in run.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = run.options.rate(run.step)
        optimizer.step()
    run.step += 1
    return float(loss.item())


def backward_by_crop(
    fabric: Fabric, objective: Any, batch: Sequence[Tensor], max_norm: float
) -> Tensor:
    """Leave the mean of all processes' gradients, those of each crop clipped, in ``.grad``.

    A tenth of the crops has three fifths of the squared norms: without clipping, few of a batch
    decide where a step goes.

    Args:
        fabric: Of the processes.
        objective: As ``fabric`` has set it up.
        batch: Its arguments, a row per crop.
        max_norm: Norm that the gradient of a crop is clipped to.

    Returns:
        Mean loss of this process.

    Raises:
        RuntimeError: A gradient is not finite.
    """
    parameters = list(objective.parameters())
    total = [torch.zeros_like(parameter) for parameter in parameters]
    losses = []
    for crop in zip(*(torch.split(part, 1) for part in batch), strict=True):
        with fabric.no_backward_sync(objective):
            losses.append(objective(*crop).mean())
            fabric.backward(losses[-1])
        clip_grad_norm_(parameters, max_norm)
        for mean, parameter in zip(total, parameters, strict=True):
            if parameter.grad is not None:
                mean.add_(parameter.grad, alpha=1 / len(batch[0]))
                parameter.grad = None
    for parameter, mean in zip(parameters, share_gradients(fabric, total), strict=True):
        parameter.grad = mean
    return torch.stack(losses).mean().detach()


def share_gradients(fabric: Fabric, gradients: Sequence[Tensor]) -> list[Tensor]:
    """The mean over all processes of their gradients.

    Raises:
        RuntimeError: A gradient is not finite. All processes see it: one alone would leave the
            others waiting.
    """
    # All in one call, because every call waits for all processes.
    flat = fabric.all_reduce(torch.cat([gradient.flatten() for gradient in gradients]))
    assert isinstance(flat, Tensor)
    if not flat.isfinite().all():
        raise RuntimeError("a gradient is not finite")
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    return [
        gradient.copy_(part.view_as(gradient))
        for gradient, part in zip(gradients, parts, strict=True)
    ]
