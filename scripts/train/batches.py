"""What a step is trained on: crops, questions and noise, drawn while the step before runs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from scripts.train.corpus import Corpus
from scripts.train.recipes import Recipe, TrainingOptions

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Stems ``[B, S, T]``, sigma ``[B, S]``, whether the mixture is given ``[B]``, noise as stems."""


def draw_batch(
    corpus: Corpus, recipe: Recipe, options: TrainingOptions, step: int, rank: int
) -> Batch:
    """The batch of a step in a process: a pure function of seed, step and rank."""
    items = []
    for item in range(options.batch):
        rng = np.random.default_rng((options.seed, step, rank, item))
        sigma, given = recipe.questions.draw(rng, len(corpus.stems))
        if recipe.augmentation is None:
            stems = corpus.crop(rng, options.length)
        else:
            stems = corpus.augmented(rng, options.length, recipe.augmentation)
        noise = rng.standard_normal(stems.shape, dtype=np.float32)
        items.append((stems, sigma.astype(np.float32), np.float32(given), noise))
    columns = [torch.from_numpy(np.stack(column)) for column in zip(*items, strict=True)]
    return columns[0], columns[1], columns[2], columns[3]


def draw_batches(
    corpus: Corpus, recipe: Recipe, options: TrainingOptions, start: int, rank: int
) -> Iterator[Batch]:
    """The batches of the steps from ``start`` on, one step ahead of the training."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw_batch, corpus, recipe, options, start, rank)
        for step in range(start, options.steps):
            batch = ahead.result()
            if step + 1 < options.steps:
                ahead = pool.submit(draw_batch, corpus, recipe, options, step + 1, rank)
            yield batch
