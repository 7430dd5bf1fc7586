"""What ships: a run's weights, or a mean of these and of those before."""

import dataclasses
import json

import numpy as np
import pytest
import torch
import typer
from conftest import CPU, TINY, TINY_ENVELOPE, tiny_envelope
from safetensors.torch import load_file, save_file

from msdm_cli.models import registry
from msdm_cli.models.load import load
from msdm_cli.models.verify import describe
from msdm_cli.networks.stft_unet import StftUnet
from scripts.ship import main, mean_weights
from scripts.train.initial import OtherNetworkError


def weights(value, **changes):
    """Weights of a tiny network, all of one value, and its config."""
    config = dataclasses.replace(TINY, **changes)
    tensors = {
        name: torch.full_like(tensor, value)
        for name, tensor in StftUnet(config).state_dict().items()
    }
    return tensors, dataclasses.asdict(config)


def test_a_mean_of_weights_is_weighted_and_of_one_network_but_for_its_layers(tmp_path):
    shipped = tmp_path / "embedded.safetensors"
    save_file({name: tensor.half() for name, tensor in weights(3.0)[0].items()}, shipped)
    mean = mean_weights(*weights(1.0), shipped, 0.25)
    assert {tensor.dtype for tensor in mean.values()} == {torch.float32}
    assert {tensor.mean().item() for tensor in mean.values()} == {1.5}
    other = mean_weights(*weights(1.0, attention_layers=3), shipped, 0.25)
    added = {name for name in other if name.startswith("attention.2.")}
    assert {name for name, tensor in other.items() if tensor.mean() == 1.0} == added
    assert {tensor.mean().item() for name, tensor in other.items() if name not in added} == {1.5}
    with pytest.raises(OtherNetworkError, match="another network"):
        mean_weights(*weights(1.0, embedding=32), shipped, 0.25)


def write_run(folder, network):
    """A run of the trainer."""
    folder.mkdir()
    save_file(
        {name: value.contiguous() for name, value in network.state_dict().items()},
        folder / "best.safetensors",
    )
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(network.config)))
    return folder


@pytest.fixture
def shipped(tmp_path, tiny_cascade, cascade_networks, monkeypatch):
    """A folder of shipped weights whose spec has three stages, with files of the first alone."""
    folder = tmp_path / "weights"
    folder.mkdir()
    path = folder / "embedded.safetensors"
    state = cascade_networks[0].state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    dataclasses.replace(tiny_cascade.spec, name="embedded").save(folder / "embedded.json")
    entry = {"description": "tiny", "licence": "none"}
    files = {"weights": path, "spec": folder / "embedded.json"}
    entry |= {kind: dataclasses.asdict(describe(file)) for kind, file in files.items()}
    (folder / "registry.json").write_text(json.dumps({"embedded": entry}))
    monkeypatch.setattr(registry, "weights_folder", lambda: folder)
    return folder


def test_stages_are_shipped_one_by_one(shipped, cascade_networks, tmp_path):
    _, prior, envelope = cascade_networks
    other = tiny_envelope(dataclasses.replace(TINY_ENVELOPE, hidden=3))
    for name, network in (("sketch", prior), ("sound", envelope), ("sound", other)):
        run = write_run(tmp_path / f"{name}-{network is other}", network)
        main(run, shipped, stage=name)
    assert load_file(shipped / "embedded-sketch.safetensors")["basis"].dtype == torch.float32
    assert load_file(shipped / "embedded-sketch.safetensors")["norm.weight"].dtype == torch.float16
    model = load("embedded", CPU)
    assert model.spec.stages[2].config["hidden"] == 3
    np.testing.assert_array_equal(model.codes.basis, prior.basis)
    for stage, expected in ((1, prior), (2, other)):
        network = model.for_stage(stage).choose(0).network
        for tensor, value in zip(network.parameters(), expected.parameters(), strict=True):
            # Half precision has 11 bits.
            torch.testing.assert_close(tensor, value, rtol=2.0**-11, atol=1e-7)


def test_a_stage_that_the_spec_lacks_is_refused(shipped, cascade_networks, tmp_path):
    before = (shipped / "registry.json").read_bytes()
    with pytest.raises(typer.BadParameter, match="has no stage drums"):
        main(write_run(tmp_path / "run", cascade_networks[1]), shipped, stage="drums")
    assert (shipped / "registry.json").read_bytes() == before
