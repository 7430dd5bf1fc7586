"""The exact answer for Gaussian stems, in the time-frequency plane, and its corrections.

With variances ``sd^2`` of the clean stems in each bin, a stem X_n with noise of level sigma and a
mixture Y, let

    g = sd^2 / (sd^2 + sigma^2)              v = sd^2 sigma^2 / (sd^2 + sigma^2)

The posterior mean is

    base_n = g_n X_n                                      (static Wiener filter, EDM's c_skip per
    bin) D_n    = base_n + v_n / sum(v) * (Y - sum(base))      (conditioning on the mixture Y)

A network can correct three things in each stem, bin and frame: the logit of ``g``, the logit of
the share ``v / sum(v)``, and a residual that is added to ``base``, scaled by ``sqrt(v)`` (EDM's
c_out; less where the mixture is quiet). The shares sum to one in every bin, so the stems sum to
the mixture exactly, whatever the corrections are.

Source: EDM preconditioning, arXiv 2206.00364, eq. 7.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

NEVER = 1e3
"""Added to a logarithm of a power to make it irrelevant."""


class Question(NamedTuple):
    """What a network is asked.

    Attributes:
        noisy: Transform of the noisy stems, ``[B, S, 2, bins, frames]``.
        sigma: Noise level of each stem, ``[B, S]``.
        observed: Transform of the mixture, zeros where it is not given, ``[B, 2, bins, frames]``.
        given: 1 where the mixture is given, 0 where it is not, ``[B]``.
    """

    noisy: Tensor
    sigma: Tensor
    observed: Tensor
    given: Tensor


class Corrections(NamedTuple):
    """What a network changes in the answer for Gaussian stems; nothing by default.

    Attributes:
        gate: Added to the logit of the weight of the noisy stem, ``[B, S, 1, bins, frames]``.
        share: Added to the logit of the stem's share of the rest, ``[B, S, 1, bins, frames]``.
        residual: Added to the estimate, in standard deviations of the posterior,
            ``[B, S, 2, bins, frames]``.
    """

    gate: Tensor | float = 0.0
    share: Tensor | float = 0.0
    residual: Tensor | float = 0.0


UNCORRECTED = Corrections()


class GaussianStems(NamedTuple):
    """Gaussian stems.

    Attributes:
        sd: Standard deviation of each stem in each bin over the training, ``[S, bins]``.
        sigma_min: Stems with at most this noise level are known.
    """

    sd: Tensor
    sigma_min: float

    def find_posterior(self, question: Question, corrections: Corrections = UNCORRECTED) -> Tensor:
        """The posterior mean with corrections, ``-> [B, S, 2, bins, frames]``."""
        noisy, sigma, observed, given = question
        log_noise, log_power = self.log_powers(sigma)
        log_variance = find_log_variance(log_noise, log_power)
        given_mixture = given[:, None, None, None]
        # Where the mixture is given, its local power limits the residual, as quiet music has small
        # errors.
        limit = given_mixture[..., None] * find_log_local_power(observed)
        unlimited = NEVER * (1 - given_mixture[..., None])
        log_scale = -torch.logaddexp(-log_variance, -limit - unlimited)
        weight = torch.sigmoid(log_power - log_noise + corrections.gate)
        base = weight * noisy + torch.exp(0.5 * log_scale) * corrections.residual
        base = torch.where(sigma[:, :, None, None, None] <= self.sigma_min, noisy, base)
        rest = (observed - base.sum(1)) * given_mixture
        return base + torch.softmax(log_variance + corrections.share, 1) * rest[:, None]

    def find_variance(self, sigma: Tensor) -> Tensor:
        """The posterior variance ``v`` of each coefficient, ``[B, S] -> [B, S, 1, bins, 1]``."""
        return find_log_variance(*self.log_powers(sigma)).exp()

    def describe(self, question: Question) -> Tensor:
        """What the network sees of each bin and frame, ``-> [B, (S + 1) * 3, bins - 1, frames]``.

        A stem enters as its static Wiener estimate in units of sd, which disappears as sigma
        grows, so that the network does not see what carries no information. The mixture enters
        compressed (the square root of the magnitude), because of its dynamic range.
        """
        log_noise, log_power = self.log_powers(question.sigma)
        weight = torch.sigmoid(log_power - log_noise)
        stems = question.noisy * weight * torch.exp(-0.5 * log_power)
        loudness = torch.log1p(1e4 * stems.square().sum(2, keepdim=True)) * weight.sqrt() / 4
        relative = question.observed / self.sd.square().sum(0).sqrt()[:, None]
        power = relative.square().sum(1, keepdim=True)
        compressed = relative * (power + 1e-8) ** -0.25
        mixture = torch.cat((compressed, torch.log1p(1e4 * power) / 4), 1)
        mixture = mixture * question.given[:, None, None, None]
        features = torch.cat((torch.cat((stems, loudness), 2).flatten(1, 2), mixture), 1)
        return features[:, :, :-1]

    def log_powers(self, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of sigma^2 and of sd^2, ``[B, S] -> [B, S, 1, 1, 1], [S, 1, bins, 1]``."""
        noise = sigma.clamp_min(self.sigma_min)[:, :, None, None, None]
        return 2 * noise.log(), 2 * self.sd[:, None, :, None].log()


def find_log_variance(log_noise: Tensor, log_power: Tensor) -> Tensor:
    """Logarithm of ``v``, from the logarithms of sigma^2 and sd^2."""
    return log_noise + log_power - torch.logaddexp(log_noise, log_power)


def find_log_local_power(observed: Tensor) -> Tensor:
    """Logarithm of the mean power in 3 bins and 5 frames.

    Shape:
        ``[B, 2, bins, frames] -> [B, 1, 1, bins, frames]``
    """
    power = observed.square().sum(1, keepdim=True)
    return (nn.functional.avg_pool2d(power, (3, 5), 1, (1, 2)) + 1e-12).log()[:, None]
