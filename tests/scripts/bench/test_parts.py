"""Networks without a part."""

import torch
from conftest import TINY

from msdm_cli.networks.stft_unet import StftUnet
from scripts.bench.parts import BRANCHES, list_parts, silenced


def build():
    torch.manual_seed(0)
    network = StftUnet(TINY).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


def test_every_kind_of_branch_is_found():
    parts = list_parts(build())
    assert parts["nothing"] == []
    for kind in BRANCHES.values():
        single = [found for name, (*found,) in parts.items() if name.startswith(f"{kind} of")]
        assert len(parts[f"all {kind}"]) == len(single) > 0


def test_a_silenced_branch_adds_nothing_until_it_is_heard_again():
    network = build()
    question = torch.randn(1, 4, 8192), torch.full((1, 4), 0.3), torch.randn(1, 8192)
    with torch.no_grad():
        whole = network(*question)
        for name, branches in list_parts(network).items():
            with silenced(branches):
                without = network(*question)
            assert torch.equal(without, whole) == (name == "nothing")
        assert torch.equal(network(*question), whole)
