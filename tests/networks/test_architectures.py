"""The public table of architectures."""

import pytest
import torch

from msdm_cli.networks.architectures import ARCHITECTURES, build_network
from msdm_cli.networks.network import Network

SMALL = {
    "stft_unet": {
        "stems": 5,
        "channels": [8, 16],
        "blocks": [1, 1],
        "attention_layers": 1,
        "heads": 2,
        "embedding": 16,
    },
    "unet1d": {
        "stems": 4,
        "channels": 32,
        "patch_factor": 4,
        "multipliers": [1, 1],
        "factors": [4],
        "num_blocks": [1],
        "attentions": [True],
        "heads": 2,
        "head_features": 8,
    },
}
SMALL["sketch_envelope"] = {"stems": 3, "hidden": 4}
SMALL["sketch_prior"] = {"stems": 3, "coefficients": 5, "width": 8, "layers": 1, "heads": 2}
SMALL["demucs"] = {
    "stems": 4,
    "sample_rate": 8000,
    "segment": [3, 2],
    "settings": {
        "channels": 4,
        "nfft": 256,
        "depth": 2,
        "t_layers": 1,
        "t_heads": 2,
        "dconv_comp": 2,
    },
}
SMALL["unet1d_per_stem"] = SMALL["unet1d"] | {"stems": 5}


def test_every_architecture_has_a_case_here():
    assert ARCHITECTURES.keys() == SMALL.keys()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_network_estimates_as_many_stems_as_its_config_says(name):
    if name == "demucs":
        pytest.importorskip("demucs.htdemucs")
    network = build_network(name, SMALL[name])
    assert isinstance(network, Network)
    network.load_state_dict(
        {key: torch.rand(value.shape) for key, value in network.state_dict().items()}, assign=True
    )
    stems = SMALL[name]["stems"]
    x = torch.randn(1, stems, 2 * network.config.length_multiple)
    mixture = x.sum(1) if network.takes_mixture else None
    told = {}
    if "told" in (inputs := network.list_inputs(2)) and name == "sketch_envelope":
        told = {"told": torch.ones(1, *inputs["told"])}
    assert network(x, torch.ones(1, stems), mixture, **told).shape == x.shape


@pytest.mark.parametrize(
    ("name", "config", "reason"),
    [
        ("transformer", {}, "architecture of stft_unet, sketch_prior, .*, got transformer"),
        ("stft_unet", {"n_fft": "large"}, "config of stft_unet .*Expected `int`"),
        ("stft_unet", {"bands": [[4, 4]]}, "cover 512 bins"),
        ("unet1d", {"factors": [4]}, "of 6 levels"),
    ],
)
def test_what_describes_no_network_is_refused(name, config, reason):
    with pytest.raises(ValueError, match=reason):
        build_network(name, config)
