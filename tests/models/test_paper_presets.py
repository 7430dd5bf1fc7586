import pytest

from msdm_cli.models.paper_presets import published_presets


def test_the_paper_separates_with_two_calls_a_step():
    presets = published_presets(per_stem=False)["separate"]
    assert presets["dirac"].calls == presets["gaussian"].calls == 300
    assert presets["dirac"].options.churn == 20.0
    assert presets["gaussian"].options.mixture_scale == 0.75


def test_the_paper_generates_from_a_larger_noise_level():
    presets = published_presets(per_stem=False)
    assert presets["impute"]["published"].calls == 256
    assert presets["generate"]["published"].calls == 150
    assert presets["generate"]["published"].options.sigma_max == 20.0
    assert presets["separate"]["dirac"].options.sigma_max == 1.0


@pytest.mark.parametrize("task", ["impute", "generate"])
def test_independent_networks_only_separate(task):
    presets = published_presets(per_stem=True)
    assert not presets[task]
    assert presets["separate"]["dirac"].options.churn == 40.0
