"""Models made of the authors' checkpoints."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from conftest import TINY, lightning_checkpoint
from safetensors.torch import load_file, save_file

from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import MissingPreset, ModelExists, UnreadableCheckpoint, UnwritableWeights
from msdm_cli.models import kinds
from msdm_cli.models.adopt import adopt_checkpoints, remove_model
from msdm_cli.models.hyper_parameters import CONFIG
from msdm_cli.models.load import load
from msdm_cli.models.registry import load_registry
from msdm_cli.networks.stft_unet import StftUnet


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_checkpoint(path, stems=4, seed=0):
    torch.manual_seed(seed)
    model, checkpoint = lightning_checkpoint(stems)
    torch.save(checkpoint, path)
    return model.diffusion


def test_a_joint_checkpoint_becomes_a_model(tmp_path):
    theirs = write_checkpoint(tmp_path / "a.ckpt")
    adopt_checkpoints("joint", [tmp_path / "a.ckpt"], "for a test", "none")
    model = load("joint", Runtime(device="cpu", precision="fp32"))
    x = torch.randn(1, 4, 8 * model.spec.length_multiple)
    sigma = torch.tensor([0.3])
    found = torch.from_numpy(model.choose(0)(x.numpy(), np.full((1, 4), 0.3)))
    torch.testing.assert_close(found, theirs.denoise_fn(x, sigmas=sigma), atol=1e-5, rtol=1e-5)
    assert model.spec.preset("separate", "dirac").options.num_resamples == 2


def test_four_checkpoints_of_one_stem_become_a_model(tmp_path):
    paths = [tmp_path / f"{seed}.ckpt" for seed in range(4)]
    theirs = [write_checkpoint(path, stems=1, seed=seed) for seed, path in enumerate(paths)]
    adopt_checkpoints("four", paths, "for a test", "none")
    model = load("four", Runtime(device="cpu", precision="fp32"))
    x = torch.randn(1, 4, 8 * model.spec.length_multiple)
    sigma = torch.tensor([0.3])
    found = torch.from_numpy(model.choose(0)(x.numpy(), np.full((1, 4), 0.3)))
    expected = torch.cat(
        [one.denoise_fn(x[:, [stem]], sigmas=sigma) for stem, one in enumerate(theirs)], 1
    )
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(MissingPreset, match="no settings default to generate"):
        model.spec.preset("generate", "default")


def test_too_few_stems_are_refused_and_nothing_is_left(tmp_path, cache):
    write_checkpoint(tmp_path / "a.ckpt", stems=1)
    with pytest.raises(UnreadableCheckpoint, match="1 stems, expected 4"):
        adopt_checkpoints("one", [tmp_path / "a.ckpt"], "for a test", "none")
    assert not cache.exists()


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "2", None, [], [0], 1e400, -0.5])
@pytest.mark.parametrize("name", sorted(CONFIG.keys() - {"use_skip_scale", "attentions"}))
def test_a_configuration_of_nonsense_is_refused(tmp_path, cache, name, value):
    _, checkpoint = lightning_checkpoint()
    checkpoint["hyper_parameters"][name] = value
    torch.save(checkpoint, tmp_path / "a.ckpt")
    with pytest.raises(UnreadableCheckpoint, match=r"a\.ckpt"):
        adopt_checkpoints("joint", [tmp_path / "a.ckpt"], "for a test", "none")
    assert not cache.exists()


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, cache, value):
    _, checkpoint = lightning_checkpoint()
    checkpoint["state_dict"]["model.unet.to_mapping.0.bias"][3] = value
    torch.save(checkpoint, tmp_path / "a.ckpt")
    with pytest.raises(UnreadableCheckpoint, match=r"mapping\.0\.bias is not finite"):
        adopt_checkpoints("joint", [tmp_path / "a.ckpt"], "for a test", "none")
    assert not cache.exists()


def test_four_checkpoints_that_compute_in_different_ways_are_refused(tmp_path, cache):
    paths = [tmp_path / f"{seed}.ckpt" for seed in range(4)]
    for path in paths:
        write_checkpoint(path, stems=1)
    _, checkpoint = lightning_checkpoint(1, {"diffusion_sigma_data": 0.5})
    torch.save(checkpoint, paths[2])
    with pytest.raises(UnreadableCheckpoint, match="the checkpoints differ in sigma_data"):
        adopt_checkpoints("four", paths, "for a test", "none")
    assert not cache.exists()


def test_a_level_that_is_not_shortened_becomes_a_model(tmp_path):
    torch.manual_seed(0)
    model, checkpoint = lightning_checkpoint(changed={"factors": [4, 1]})
    torch.save(checkpoint, tmp_path / "a.ckpt")
    adopt_checkpoints("joint", [tmp_path / "a.ckpt"], "for a test", "none")
    loaded = load("joint", Runtime(device="cpu", precision="fp32"))
    x = torch.randn(1, 4, 8 * loaded.spec.length_multiple)
    sigma = torch.tensor([0.3])
    found = torch.from_numpy(loaded.choose(0)(x.numpy(), np.full((1, 4), 0.3)))
    expected = model.diffusion.denoise_fn(x, sigmas=sigma)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def write_run(folder, stems, **changed):
    config = dataclasses.replace(TINY, stems=stems)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config) | changed))
    save_file(StftUnet(config).state_dict(), folder / "best.safetensors")
    return folder


def test_one_run_of_all_stems_becomes_a_model(tmp_path, cache):
    joint = write_run(tmp_path / "joint", 4)
    bass = write_run(tmp_path / "bass", 1)
    for runs, problem in (([bass], "a run of 1 stems"), ([joint, joint], "expected one of stft")):
        with pytest.raises(UnreadableCheckpoint, match=problem):
            adopt_checkpoints("mine", runs, "for a test", "none")
    assert not cache.exists()
    adopt_checkpoints("mine", [joint], "for a test", "none")
    x = np.ones((1, 4, 8192), np.float32)
    assert (
        load("mine", Runtime(device="cpu", precision="fp32")).choose(0)(x, np.ones((1, 4))).shape
        == x.shape
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hop", 0),
        ("hop", -256),
        ("n_fft", "1024"),
        ("n_fft", math.nan),
        ("channels", []),
        ("channels", [0, 16]),
        ("channels", 8),
        ("heads", 0),
        ("bands", [[1]]),
        ("frames_per_token", 0),
        ("embedding", None),
        ("blocks", [1, "1"]),
        ("sigma_min", 0),
        ("sigma_max", math.nan),
        ("sigma_max", math.inf),
    ],
)
def test_a_run_of_nonsense_is_refused(tmp_path, cache, name, value):
    run = write_run(tmp_path / "run", 4, **{name: value})
    with pytest.raises(UnreadableCheckpoint):
        adopt_checkpoints("mine", [run], "for a test", "none")
    assert not cache.exists()


def test_a_run_without_finite_weights_is_refused(tmp_path, cache):
    run = write_run(tmp_path / "run", 4)
    tensors = load_file(run / "best.safetensors")
    next(iter(tensors.values())).view(-1)[0] = math.nan
    save_file(tensors, run / "best.safetensors")
    with pytest.raises(UnreadableCheckpoint, match="is not finite"):
        adopt_checkpoints("mine", [run], "for a test", "none")
    assert not cache.exists()


def test_a_run_is_of_the_first_stage_alone(tmp_path, tiny_cascade, monkeypatch):
    monkeypatch.setattr(kinds, "_load_embedded_spec", lambda: tiny_cascade.spec)
    _, spec = kinds.convert("mine", [write_run(tmp_path / "run", 4)])
    assert spec.name == "mine"
    assert [stage.architecture for stage in spec.stages] == ["stft_unet"]
    assert spec.stage.presets.keys() == {"separate"}


def write_stage(folder, stage, network):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(dict(stage.config)))
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, folder / "best.safetensors")
    return folder


def test_three_runs_in_any_order_become_a_model_that_makes_music(
    tmp_path, tiny_cascade, cascade_networks, monkeypatch
):
    monkeypatch.setattr(kinds, "_load_embedded_spec", lambda: tiny_cascade.spec)
    folders = [
        write_stage(tmp_path / f"run{index}", stage, network)
        for index, (stage, network) in enumerate(
            zip(tiny_cascade.spec.stages, cascade_networks, strict=True)
        )
    ]
    entry = adopt_checkpoints("mine", [folders[2], *folders[:2]], "for a test", "none")
    assert sorted(entry.stages) == ["sketch", "sound"]
    assert all((entry.folder / file.name).is_file() for file in entry.files)
    loaded = load("mine", Runtime(device="cpu", precision="fp32"))
    assert loaded.spec == dataclasses.replace(tiny_cascade.spec, name="mine")
    assert loaded.codes is not None
    for stage, network in enumerate(cascade_networks):
        own = loaded.for_stage(stage).choose(0).network.state_dict()
        torch.testing.assert_close(own, network.state_dict(), rtol=0, atol=0)
    remove_model(entry)
    assert not entry.folder.exists()


def test_two_runs_of_music_are_not_a_model(tmp_path, tiny_cascade, cascade_networks, cache):
    pairs = list(zip(tiny_cascade.spec.stages, cascade_networks, strict=True))
    runs = [write_stage(tmp_path / stage.name, stage, network) for stage, network in pairs[1:]]
    with pytest.raises(UnreadableCheckpoint, match="sketch_prior, sketch_envelope; expected"):
        adopt_checkpoints("mine", runs, "for a test", "none")
    assert not cache.exists()


def test_a_name_is_taken_once_and_free_after_removal(tmp_path):
    write_checkpoint(tmp_path / "a.ckpt")
    entry = adopt_checkpoints("joint", [tmp_path / "a.ckpt"], "for a test", "none")
    with pytest.raises(ModelExists, match="already"):
        adopt_checkpoints("joint", [tmp_path / "a.ckpt"], "for a test", "none")
    remove_model(entry)
    assert "joint" not in load_registry()
    with pytest.raises(ModelExists, match="ships with msdm"):
        remove_model(load_registry()["embedded"])


def test_a_disk_that_fills_is_said_and_nothing_is_left(tmp_path, cache, limit_file_size):
    write_checkpoint(tmp_path / "a.ckpt")
    with (
        limit_file_size(50_000),
        pytest.raises(UnwritableWeights, match="cannot store the model joint"),
    ):
        adopt_checkpoints("joint", [tmp_path / "a.ckpt"], "for a test", "none")
    assert not list(cache.iterdir())
