"""Networks that are larger than their weights are not built."""

import contextlib
import dataclasses

import pytest
import torch
from conftest import TINY, tiny_network

from msdm_cli.models.bounded_build import build_bounded
from msdm_cli.networks.architectures import ARCHITECTURES, build_network
from msdm_cli.networks.unet1d import Unet1dConfig

UNET1D = dataclasses.asdict(
    Unet1dConfig(
        channels=16,
        patch_factor=4,
        multipliers=(1, 1),
        factors=(2,),
        num_blocks=(1,),
        attentions=(True,),
        heads=1,
        head_features=4,
    )
)
STFT_UNET = dataclasses.asdict(TINY)
CONFIGS = {"stft_unet": STFT_UNET, "unet1d": UNET1D, "unet1d_per_stem": UNET1D}


@pytest.mark.parametrize("architecture", CONFIGS)
def test_a_network_of_its_weights_is_built(architecture):
    config = CONFIGS[architecture]
    weights = build_network(architecture, config).state_dict()
    found = build_bounded(architecture, config, weights).state_dict()
    assert {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in weights.items()
    }


@pytest.mark.parametrize(
    ("architecture", "changed"),
    [
        ("stft_unet", {"attention_layers": 10**9}),
        ("stft_unet", {"attention_layers": 60_000}),
        ("stft_unet", {"blocks": [1, 50_000]}),
        ("stft_unet", {"channels": [8, 60_000]}),
        ("stft_unet", {"embedding": 60_000}),
        ("stft_unet", {"stems": 60_000}),
        ("unet1d", {"num_blocks": [10**12]}),
        ("unet1d", {"num_blocks": [60_000]}),
        ("unet1d", {"heads": 60_000, "head_features": 60_000}),
        ("unet1d_per_stem", {"stems": 60_000}),
    ],
    ids=str,
)
def test_a_larger_one_is_not(architecture, changed):
    config = CONFIGS[architecture]
    weights = build_network(architecture, config).state_dict()
    with pytest.raises(ValueError, match=r"larger network than its weights|numbers up to"):
        build_bounded(architecture, config | changed, weights)


@pytest.mark.parametrize("architecture", CONFIGS)
@pytest.mark.parametrize("value", [[], [0], [-1], 0, -1, 7, {}, None, "x", 1.5])
def test_what_is_no_config_is_refused_whatever_the_network_raises(architecture, value):
    config = CONFIGS[architecture]
    weights = build_network(architecture, config).state_dict()
    for name in config:
        with contextlib.suppress(ValueError):  # a few are configs
            build_bounded(architecture, config | {name: value}, weights)


def test_the_table_is_covered():
    assert CONFIGS.keys() <= ARCHITECTURES.keys()


def test_other_threads_and_later_networks_are_not_counted():
    with pytest.raises(ValueError, match="larger network"):
        build_bounded("stft_unet", STFT_UNET, {})
    assert torch.zeros(1 << 21).numel() == 1 << 21
    tiny_network()
