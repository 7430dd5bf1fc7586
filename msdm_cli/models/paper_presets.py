"""Sampler settings for the networks of the paper: the published ones, and ours by quality."""

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.consistent import ConsistentOptions
from msdm_cli.diffusion.samplers.msdm_paper import DiracOptions, GaussianOptions, PaperOptions

SIGMA_MAX = 20.0
"""Noise level that the paper generates from; a separation starts from 1."""


def published_presets(*, per_stem: bool) -> dict[str, dict[str, Preset]]:
    """Presets by task, and by quality or sampler.

    Source: MSDM, arXiv 2302.02257, appendix, for ``dirac``, ``gaussian`` and ``published``.

    Args:
        per_stem: Whether the model is one network for each stem. Independent networks do not know
            each other's stems, so they neither impute nor generate.
    """
    if per_stem:
        return {"separate": _separation(dirac_churn=40.0), "impute": {}, "generate": {}}
    qualities = {
        quality: Preset("consistent", ConsistentOptions(num_steps, SIGMA_MAX, eta=0.0))
        for quality, num_steps in (("fast", 25), ("default", 50), ("best", 100))
    }
    imputation = PaperOptions(256, SIGMA_MAX, churn=10.0)
    generation = PaperOptions(150, SIGMA_MAX, churn=20.0)
    return {
        "separate": _separation(dirac_churn=20.0),
        "impute": qualities | {"published": Preset("published", imputation)},
        "generate": qualities | {"published": Preset("published", generation)},
    }


def _separation(*, dirac_churn: float) -> dict[str, Preset]:
    presets = {
        quality: Preset("consistent", ConsistentOptions(num_steps, sigma_max=1.0))
        for quality, num_steps in (("fast", 10), ("default", 20), ("best", 30))
    }
    dirac = DiracOptions(150, sigma_max=1.0, churn=dirac_churn, num_resamples=2)
    gaussian = GaussianOptions(150, sigma_max=1.0, churn=40.0, num_resamples=2)
    return presets | {"dirac": Preset("dirac", dirac), "gaussian": Preset("gaussian", gaussian)}
