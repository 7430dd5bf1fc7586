"""Ways to separate."""

import dataclasses

import numpy as np
import pytest
from conftest import CPU, STEMS, make_tiny_model, music

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.regression import RegressionOptions
from msdm_cli.interface import Model
from scripts.bench.separation import by_model, by_static_wiener, name_presets, with_preset

SINGLE_PRECISION = 1e-6
"""Sums of four stems below full scale."""


@pytest.fixture(scope="module")
def model():
    tiny = make_tiny_model()
    return Model(tiny.spec, tiny.denoisers, CPU)


@pytest.fixture(scope="module")
def stems():
    return np.concatenate([music(22050, seed=seed) for seed in range(len(STEMS))])


def test_a_preset_takes_the_place_of_the_default(model):
    preset = Preset("regression", RegressionOptions(estimates=3))
    changed = with_preset(model, "separate", preset)
    assert changed.spec.preset("separate", "default") is preset
    assert changed.spec.preset("separate", "fast") is model.spec.preset("separate", "fast")
    assert changed.spec.preset("impute", "default") is model.spec.preset("impute", "default")
    assert model.spec.preset("separate", "default") is not preset


def test_estimates_sum_to_the_mixture(model, stems):
    for separate in (
        by_model(model, model.spec.preset("separate", "fast")),
        by_static_wiener(model),
    ):
        estimates = separate(stems)
        assert estimates.shape == stems.shape
        np.testing.assert_allclose(estimates.sum(0), stems.sum(0), atol=SINGLE_PRECISION)


def test_the_preset_decides_what_is_estimated(model, stems):
    one, other = (
        by_model(model, Preset("regression", RegressionOptions(estimates=count)))(stems)
        for count in (1, 2)
    )
    assert not np.array_equal(one, other)
    fast = by_model(model, model.spec.preset("separate", "fast"))(stems)
    np.testing.assert_array_equal(
        fast, [model.separate(stems.sum(0), 22050, quality="fast")[name] for name in STEMS]
    )


def test_a_stem_that_is_absent_is_silent(model, stems):
    preset = model.spec.preset("separate", "fast")
    estimates = by_model(model, preset, absent=("piano",))(stems)
    assert estimates.shape == stems.shape
    assert not estimates[STEMS.index("piano")].any()
    np.testing.assert_allclose(estimates.sum(0), stems.sum(0), atol=SINGLE_PRECISION)


def test_qualities_of_one_preset_share_a_name(model):
    fast = model.spec.preset("separate", "fast")
    same = with_preset(model, "separate", fast)
    presets = {**same.spec.stage.presets["separate"], "best": fast}
    stage = same.spec.stage.presets | {"separate": presets}
    spec = dataclasses.replace(
        same.spec, stages=(dataclasses.replace(same.spec.stage, presets=stage),)
    )
    assert name_presets(dataclasses.replace(same, spec=spec)) == {"fast, default, best": fast}
