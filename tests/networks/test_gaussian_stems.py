"""The answer for Gaussian stems against the posterior mean of a joint Gaussian."""

import pytest
import torch

from msdm_cli.networks.gaussian_stems import Corrections, GaussianStems, Question

SD = torch.tensor([[0.5, 0.1], [0.2, 0.3], [0.05, 1.0]], dtype=torch.float64)
SIGMA = torch.tensor([[0.3, 2.0, 0.1]], dtype=torch.float64)
STEMS = GaussianStems(SD, sigma_min=1e-4)


def ask(*, given, sigma=SIGMA):
    generator = torch.Generator().manual_seed(0)
    noisy = torch.randn(1, 3, 2, 2, 4, generator=generator, dtype=torch.float64)
    mixture = torch.randn(1, 2, 2, 4, generator=generator, dtype=torch.float64)
    return Question(noisy, sigma, given * mixture, torch.full((1,), float(given)).double())


def find_exact(question, bin_):
    """E[x | noisy, mixture] of the coefficients of a bin, from their covariance, ``[S, n]``."""
    prior = torch.diag(SD[:, bin_] ** 2)
    observe = torch.eye(3, dtype=torch.float64)
    noise = torch.diag(question.sigma[0] ** 2)
    values = question.noisy[0, :, :, bin_].flatten(1)
    if question.given[0]:
        observe = torch.cat((observe, torch.ones(1, 3, dtype=torch.float64)))
        noise = torch.block_diag(noise, torch.zeros(1, 1, dtype=torch.float64))
        values = torch.cat((values, question.observed[0, None, :, bin_].flatten(1)))
    covariance = observe @ prior @ observe.T + noise
    return prior @ observe.T @ torch.linalg.solve(covariance, values)


@pytest.mark.parametrize("given", [0, 1])
def test_it_is_the_exact_posterior_mean(given):
    question = ask(given=given)
    found = STEMS.find_posterior(question)
    for bin_ in range(2):
        exact = find_exact(question, bin_)
        torch.testing.assert_close(found[0, :, :, bin_].flatten(1), exact, atol=1e-9, rtol=1e-9)


def test_the_variance_is_that_of_the_posterior():
    expected = 1 / (1 / SD[None] ** 2 + 1 / SIGMA[:, :, None] ** 2)
    torch.testing.assert_close(STEMS.find_variance(SIGMA)[:, :, 0, :, 0], expected)


def test_stems_sum_to_the_mixture_whatever_the_corrections():
    question = ask(given=1)
    gate, share, residual = torch.randn(3, 1, 3, 1, 2, 4, dtype=torch.float64)
    corrections = Corrections(gate, share, residual.expand(1, 3, 2, 2, 4))
    found = STEMS.find_posterior(question, corrections)
    torch.testing.assert_close(found.sum(1), question.observed)


def test_a_known_stem_stays_without_the_mixture():
    sigma = torch.tensor([[0.0, 2.0, 0.1]], dtype=torch.float64)
    question = ask(given=0, sigma=sigma)
    found = STEMS.find_posterior(question, Corrections(residual=torch.tensor(5.0)))
    assert torch.equal(found[:, 0], question.noisy[:, 0])


def test_a_quiet_mixture_limits_the_residual():
    question = ask(given=1)
    corrections = Corrections(residual=torch.tensor(1.0).double())
    loud = STEMS.find_posterior(question, corrections) - STEMS.find_posterior(question)
    quiet_question = question._replace(observed=1e-4 * question.observed)
    quiet = STEMS.find_posterior(quiet_question, corrections) - STEMS.find_posterior(quiet_question)
    assert quiet.abs().max() < 1e-2 * loud.abs().max()


def test_features_are_finite_and_hide_what_is_only_noise():
    noisy_question = ask(given=1, sigma=torch.full((1, 3), 1e4, dtype=torch.float64))
    features = STEMS.describe(noisy_question)
    assert features.shape == (1, 4 * 3, 1, 4)
    assert features.isfinite().all()
    # The stems have 3 features each, the mixture the last 3.
    assert features[:, :9].abs().max() < 1e-3
    assert features[:, 9:].abs().max() > 0.1
