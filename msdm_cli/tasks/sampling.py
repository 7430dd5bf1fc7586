"""One chunk through the network: what the three tasks share below the level of a song."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.diffusion.samplers import SAMPLERS, Preset, Problem
from msdm_cli.models.load import LoadedModel
from msdm_cli.tasks.calls import Calls, WatchedDenoiser

SAMPLES_PER_STAGE = 1 << 32
"""Stages of a model draw different noise."""

Bind = Callable[[WatchedDenoiser], Denoiser]


@dataclass(frozen=True)
class ChunkSampler:
    """Draws the stems of one chunk.

    Attributes:
        model: The network. Chunks take turns on its devices.
        preset: Sampler and settings.
        seed: Of the noise; None for a sampler that uses none.
        calls: Counts network calls.
    """

    model: LoadedModel
    preset: Preset
    seed: int | None
    calls: Calls

    def draw(
        self,
        condition: Condition,
        chunk: int,
        start: int,
        shape: tuple[int, int, int],
        bind: Bind | None = None,
    ) -> Samples:
        """Draw stems.

        Args:
            condition: What is known of them.
            chunk: Number of the chunk.
            start: Position of the chunk in the song, in samples.
            shape: ``(B, S, T)``. The items of a batch are channels of one song and share its noise.
            bind: Binds to the network what it is told of this chunk.

        Returns:
            Stems, ``[B, S, T]``.

        Raises:
            NonFiniteSamples: The network failed.
        """
        spec = self.model.spec
        problem = Problem(
            condition=_encode(condition, self.model),
            shape=shape,
            noise=self._find_noise(start, shape),
            sigma_max=spec.sigma_max,
            length_multiple=spec.length_multiple,
        )
        watched = WatchedDenoiser(self.model.choose(chunk), self.calls, chunk)
        denoiser = bind(watched) if bind else watched
        sampler = SAMPLERS[self.preset.sampler]
        drawn = sampler.draw(denoiser, problem, self.preset.options)
        return self.model.representation.decode(drawn)

    def _find_noise(self, start: int, shape: tuple[int, int, int]) -> Callable[[int, int], Samples]:
        """The noise of a window, by step and sample."""
        field = NoiseField(self.seed or 0, len(self.model.spec.stems))
        first_sample = self.model.stage * SAMPLES_PER_STAGE

        def noise(step: int, sample: int) -> Samples:
            drawn = field.draw(start, shape[2], step=step, sample=sample + first_sample)
            return np.broadcast_to(drawn, shape)

        return noise


def _encode(condition: Condition, model: LoadedModel) -> Condition:
    """A condition in the representation that the network works in."""
    encode = model.representation.encode
    mixture = condition.mixture
    values = condition.values
    return replace(
        condition,
        mixture=None if mixture is None else encode(mixture),
        values=None if values is None else encode(values),
    )
