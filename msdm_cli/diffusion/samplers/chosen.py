"""Our sampler several times, and of its samples the one whose stems predict each other best.

What the others tell of stem n is what they help to denoise it. With noise ``z`` of level sigma in
stem n, and the others clean or lost in noise of level ``sigma_max``:

    I_n = (|x_n - D_n(x_n + sigma z | lost)|^2 - |x_n - D_n(x_n + sigma z | clean)|^2) / sigma^2

Half of it, integrated over the logarithm of 1/sigma^2, is the pointwise mutual information of the
stem and the others (arXiv 2310.07972). One level and one draw of noise are an estimate, which may
be negative. It is enough to tell samples apart (``scripts/bench/choosing.md``). The sum over all
stems counts, given ones too: a part that goes with them helps to denoise them.
"""

from dataclasses import dataclass

import numpy as np

from msdm_cli.diffusion.denoiser import Denoiser, FreeDenoiser, Samples
from msdm_cli.diffusion.samplers.consistent import draw_sample
from msdm_cli.diffusion.samplers.table import Problem, Sampler
from msdm_cli.diffusion.schedule import check_schedule, karras_sigmas

MEASURING_CALLS = 4
"""Network calls that measure a sample: each has two of the eight items of four stems, as many as
a call that draws."""


@dataclass(frozen=True)
class ChosenOptions:
    """Options of our sampler, where one sample of several is kept.

    Attributes:
        num_steps: Number of steps of each sample.
        sigma_max: First noise level.
        sigma_min: Last noise level before 0.
        rho: Curvature of the schedule (arXiv 2206.00364, eq. 5).
        eta: Share of new noise in each step: 0 is the probability-flow ODE, 1 renews the noise.
        candidates: Number of samples.
        sigma: Noise level at which stems are denoised to compare the samples.
    """

    num_steps: int
    sigma_max: float
    sigma_min: float = 1e-3
    rho: float = 7.0
    eta: float = 1.0
    candidates: int = 4
    sigma: float = 15.0

    def __post_init__(self) -> None:
        check_schedule(self.num_steps, self.sigma_min, self.sigma_max, self.rho)
        if self.candidates < 1 or not 0 <= self.eta <= 1:
            raise ValueError(f"expected candidates >= 1 and eta from 0 to 1, got {self}")
        if not 0 < self.sigma < self.sigma_max:
            raise ValueError(f"expected sigma between 0 and sigma_max, got {self}")

    @property
    def calls(self) -> int:
        """Network calls that one chunk takes."""
        return self.candidates * (self.num_steps + MEASURING_CALLS)

    @property
    def uses_noise(self) -> bool:
        """The result depends on the noise."""
        return True


def draw_chosen(denoiser: Denoiser, problem: Problem, options: ChosenOptions) -> Samples:
    """The sample of which ``measure_information`` is largest, ``[1, S, T]``.

    Raises:
        ValueError: The denoiser cannot leave out what is known, or there is more than one item, or
            one stem alone.
    """
    if not isinstance(denoiser, FreeDenoiser):
        raise ValueError("expected a network that draws sketches")
    if problem.shape[0] != 1 or problem.shape[1] < 2:
        raise ValueError(f"expected one item of two stems or more, got {problem.shape}")
    sigmas = karras_sigmas(options.num_steps, options.sigma_min, options.sigma_max, options.rho)
    levels = options.sigma, options.sigma_max
    # No step has this number. Every sample is measured with the same noise.
    common = problem.noise(options.num_steps, 0)
    samples = [
        draw_sample(denoiser, problem, sigmas, index, eta=options.eta)
        for index in range(options.candidates)
    ]
    told = [measure_information(denoiser, x, common, levels) for x in samples]
    return samples[int(np.argmax(told))]


def measure_information(
    denoiser: FreeDenoiser, x: Samples, noise: Samples, levels: tuple[float, float]
) -> float:
    """How much the stems tell of each other: the sum of ``I_n`` over all stems.

    Args:
        denoiser: The network.
        x: Clean stems, ``[1, S, T]``.
        noise: Unit noise, ``[1, S, T]``.
        levels: Sigma of the stem that is denoised, and of stems that tell nothing.
    """
    sigma, nothing = levels
    turns = np.eye(x.shape[1], dtype=bool)
    # Each stem in turn, first among stems that tell nothing, then among stems that are known.
    sigmas = np.concatenate([np.where(turns, sigma, other) for other in (nothing, 0)])
    sigmas = sigmas.astype(np.float32)
    parts = np.array_split(sigmas, MEASURING_CALLS)
    denoised = [denoiser.free(x + part[:, :, None] * noise, part) for part in parts]
    errors = np.square(np.concatenate(denoised) - x).sum(-1, dtype=np.float64)
    alone, among = (part[turns].sum() for part in np.split(errors, 2))
    return float(alone - among) / sigma**2


CHOSEN = Sampler("chosen", ChosenOptions, draw_chosen, with_mixture=False, of_sketches=True)
