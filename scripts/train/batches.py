"""What a step is trained on: crops, questions and noise, drawn while the step before runs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scripts.train.recipes import Recipe

Batch = tuple[Tensor, ...]
"""What the objective takes, a row per item."""


def draw_batch(corpus: Any, recipe: Recipe, step: int, rank: int) -> Batch:
    """The batch of a step in a process: a pure function of seed, step and rank."""
    options = recipe.options
    items = []
    for item in range(options.batch):
        rng = np.random.default_rng((options.seed, step, rank, item))
        items.append(recipe.material.draw(corpus, recipe, rng, item))
    return tuple(torch.from_numpy(np.stack(column)) for column in zip(*items, strict=True))


def draw_batches(corpus: Any, recipe: Recipe, start: int, rank: int) -> Iterator[Batch]:
    """The batches of the steps from ``start`` on, one step ahead of the training."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw_batch, corpus, recipe, start, rank)
        for step in range(start, recipe.options.steps):
            batch = ahead.result()
            if step + 1 < recipe.options.steps:
                ahead = pool.submit(draw_batch, corpus, recipe, step + 1, rank)
            yield batch
