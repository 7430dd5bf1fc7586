"""One chunk through the network: what the three tasks share below the level of a song."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msdm_cli.diffusion.conditions import Condition, wiener_weights
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.moved import MovedDenoiser
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.diffusion.samplers.consistent import Noise, sample
from msdm_cli.diffusion.samplers.msdm_paper import (
    Dirac,
    Gaussian,
    Known,
    Unconditional,
    sample_published,
)
from msdm_cli.diffusion.schedule import karras_sigmas
from msdm_cli.diffusion.stft import Stft
from msdm_cli.errors import NonFiniteSamples
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import Progress

SHARING_TRANSFORM = (2048, 512)
SHARING_FLOOR = 0.3


class Calls:
    """Counts the network calls of a piece of work, which chunks on several devices make at the same time.

    Args:
        progress: Told of each call.
    """

    def __init__(self, progress: Progress) -> None:
        self.count = 0
        self._progress, self._stopped, self._lock = progress, False, threading.Lock()

    def add(self) -> None:
        """A call was made."""
        with self._lock:
            self.count += 1
            self._progress.advance()

    def skip(self, calls: int) -> None:
        """Calls that need not be made: what they would give is there."""
        with self._lock:
            self._progress.advance(calls)

    def stop(self) -> None:
        """The next call of any chunk ends it."""
        self._stopped = True

    def check(self) -> None:
        """Raise KeyboardInterrupt if work was stopped."""
        if self._stopped:
            raise KeyboardInterrupt


class WatchedDenoiser:
    """The denoiser of a chunk: it counts calls, and refuses what is not a number.

    Args:
        denoiser: The network.
        calls: Counts.
        chunk: Number of the chunk.
    """

    def __init__(self, denoiser: Denoiser, calls: Calls, chunk: int) -> None:
        self._denoiser, self._calls, self._chunk = denoiser, calls, chunk
        self.takes_mixture, self.shares_sigma = denoiser.takes_mixture, denoiser.shares_sigma
        self._count = 0

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems.

        Raises:
            NonFiniteSamples: The network returned NaN or infinity.
        """
        self._calls.check()
        denoised = self._denoiser(x, sigma, mixture)
        if not np.isfinite(denoised).all():
            level = sigma.max().item()
            raise NonFiniteSamples(
                f"the network returned NaN or infinity in chunk {self._chunk}, call {self._count}, sigma {level:.3g}",
                "Try --device cpu; if it stays, report it with the song's name and the seed.",
            )
        self._count += 1
        self._calls.add()
        return denoised


@dataclass(frozen=True)
class ChunkSampler:
    """Draws the stems of one chunk.

    Attributes:
        model: The network. Chunks take turns on its devices.
        preset: Sampler settings.
        noise: Noise of the song.
        calls: Counts network calls.
    """

    model: Model
    preset: Preset
    noise: NoiseField
    calls: Calls

    def draw(
        self, condition: Condition, chunk: int, start: int, shape: tuple[int, int, int]
    ) -> Samples:
        """Draw stems, averaged over the preset's number of samples.

        Args:
            condition: What is known of them.
            chunk: Its number.
            start: Position of the chunk in the song, in samples.
            shape: ``(B, S, T)``. The items of a batch are channels of one song and share its noise.

        Returns:
            Stems, ``[B, S, T]``.
        """
        preset, denoiser = self.preset, WatchedDenoiser(self.model.choose(chunk), self.calls, chunk)
        if preset.num_steps == 0:
            return self._regress(denoiser, condition, shape, preset.samples)
        first = self._regress(denoiser, condition, shape) if preset.warm_start else None
        sigmas = karras_sigmas(preset.num_steps, preset.sigma_min, preset.sigma_max, preset.rho)
        total = np.zeros(shape, np.float32)
        for index in range(preset.samples):

            def noise(step: int, index: int = index) -> Samples:
                return np.broadcast_to(
                    self.noise.draw(start, shape[2], step=step, sample=index), shape
                )

            total += self._draw_once(denoiser, condition, sigmas, noise, first)
        return total / preset.samples

    def _regress(
        self, denoiser: Denoiser, condition: Condition, shape: tuple[int, int, int], count: int = 1
    ) -> Samples:
        """The network's estimate from what is known alone, the mean of ``count`` where the music is moved."""
        silence = np.zeros(shape, np.float32)
        nothing = condition.start(denoiser, silence, 0.0, silence)
        total = np.zeros(shape, np.float32)
        for index in range(count):
            moved = MovedDenoiser(denoiser, index, self.model.spec.length_multiple)
            total += condition.denoise(moved, nothing, self.model.spec.sigma_max)
        return total / count

    def _draw_once(
        self,
        denoiser: Denoiser,
        condition: Condition,
        sigmas: NDArray[np.float64],
        noise: Noise,
        first: Samples | None,
    ) -> Samples:
        preset = self.preset
        if preset.sampler == "consistent":
            return sample(
                denoiser,
                condition,
                sigmas,
                noise,
                eta=preset.eta,
                solver=preset.solver,
                start=first,
            )
        drawn = sample_published(
            denoiser,
            publish_condition(condition, preset),
            sigmas,
            noise,
            churn=preset.churn,
            num_resamples=preset.num_resamples,
        )
        return condition.project(drawn, preset.sigma_min)


def publish_condition(condition: Condition, preset: Preset) -> Unconditional:
    """What the paper's samplers make of a condition.

    Raises:
        ValueError: The paper has no such sampler for it.
    """
    if condition.mixture is not None:
        if preset.sampler == "dirac":
            return Dirac(condition.mixture)
        if preset.sampler == "gaussian":
            return Gaussian(condition.mixture, preset.mixture_scale)
    elif preset.sampler == "published":
        if condition.values is not None and condition.known is not None:
            return Known(condition.values, condition.known)
        return Unconditional()
    raise ValueError(f"expected a sampler for this condition, got {preset.sampler}")


def mixture_condition(denoiser: Denoiser, mixture: Samples) -> Condition:
    """The condition of separation, ``[B, T]``.

    A network that is told the mixture has shared it out already. For others, the residual is shared out by Wiener
    weights, whose spectra come from the estimate.
    """
    if denoiser.takes_mixture:
        return Condition(mixture=mixture)
    return Condition(
        mixture=mixture, stft=Stft(*SHARING_TRANSFORM), weights=wiener_weights(SHARING_FLOOR)
    )


def calls_per_chunk(preset: Preset) -> int:
    """Network calls that one chunk takes."""
    if preset.num_steps == 0:
        return preset.samples
    steps = 2 * preset.num_steps - 1 if preset.solver == "heun" else preset.num_steps
    return steps * preset.num_resamples * preset.samples + int(preset.warm_start)
