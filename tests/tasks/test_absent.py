"""What is said to be absent must be a stem, must leave one, and must reach the network."""

import dataclasses

import numpy as np
import pytest
from conftest import STEMS

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import MissingPreset, MissingTask
from msdm_cli.networks.architectures import ARCHITECTURES
from msdm_cli.tasks.absent import (
    TELLABLE,
    check_absent,
    check_tellable,
    find_absent,
    list_present,
)

DIRAC = Preset.from_json({"sampler": "dirac", "num_steps": 2, "sigma_max": 1.0})


@pytest.fixture
def spec(tiny_model):
    return tiny_model.spec


@pytest.fixture
def fast(spec):
    return spec.preset("separate", "fast")


def test_the_other_stems_are_present(spec):
    assert list_present(spec, ()) == STEMS
    assert list_present(spec, ("piano", "bass")) == ("drums", "guitar")
    np.testing.assert_array_equal(find_absent(spec, ("piano", "bass")), [True, False, False, True])


def test_stems_that_may_be_absent_are_accepted(spec, fast):
    for absent in ((), ("piano",), ("piano", "bass", "drums")):
        check_absent(spec, fast, absent)


@pytest.mark.parametrize(
    ("absent", "words"),
    [(("piano", "kazoo"), "of bass, drums, guitar, piano, got kazoo"), (STEMS, "not absent")],
)
def test_an_unknown_stem_and_all_stems_are_refused(spec, fast, absent, words):
    with pytest.raises(ValueError, match=words):
        check_absent(spec, fast, absent)


def test_the_networks_that_are_told_have_what_it_takes():
    for name in TELLABLE:
        network = ARCHITECTURES[name].build(ARCHITECTURES[name].config())
        assert network.takes_mixture
        assert not network.shares_sigma


@pytest.mark.parametrize("architecture", ["unet1d", "unet1d_per_stem", "demucs"])
def test_a_network_that_hears_nothing_of_it_is_refused(spec, fast, architecture):
    stage = dataclasses.replace(spec.stage, architecture=architecture)
    deaf = dataclasses.replace(spec, stages=(stage,))
    with pytest.raises(MissingTask, match="tiny cannot be told that a stem is absent"):
        check_tellable(deaf, fast)
    check_absent(deaf, fast, ())


def test_a_sampler_that_keeps_it_to_itself_is_refused(spec):
    with pytest.raises(MissingPreset, match="dirac does not tell the network"):
        check_tellable(spec, DIRAC)
