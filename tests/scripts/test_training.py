"""The trainer on a toy data set: it learns, and resumes bit for bit."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import typer
from conftest import STEMS, TINY, music
from safetensors.torch import load_file, save_file

from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig

ROOT = Path(__file__).parents[2]
SMALL = {"channels": [8, 32], "blocks": [1, 1], "heads": 1}
SMALL_UNET1D = {
    "channels": 32, "patch_factor": 4, "multipliers": [1, 1], "factors": [8], "num_blocks": [1], "attentions": [False],
    "heads": 1, "head_features": 8,
}  # fmt: skip

pytest.importorskip("lightning_fabric")
from lightning_fabric import Fabric  # noqa: E402
from train import Mixed, backward_by_crop, build_optimizers, load_initial  # noqa: E402

from training.corpus import Augmentation, Corpus  # noqa: E402
from training.muon import Muon  # noqa: E402
from training.questions import QuestionMix, ScoreMatching  # noqa: E402
from training.recipes import TrainingOptions  # noqa: E402
from training.validation import SIGMAS, Validation, expect_wiener_errors  # noqa: E402


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for split, count in (("train", 3), ("validation", 2)):
        for song in range(count):
            for index, stem in enumerate(STEMS):
                path = folder / split / f"Track{song:05d}" / f"{stem}.flac"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, music(22050 * 6, 1, 22050, seed=10 * song + index).T, 22050)
    (folder / "train" / "Track00099.part").mkdir()
    return folder


def train(songs, run, steps, config=SMALL, *more):
    path = songs / f"{len(config)}.json"
    path.write_text(json.dumps(config))
    command = [
        sys.executable,
        ROOT / "scripts" / "train.py",
        songs,
        run,
        "--steps",
        steps,
        "--batch",
        1,
        *more,
    ]
    command += ["--config", path, "--validate-every", 2, "--decay-steps", 1]
    command += ["--length", 16384, "--validation-length", 16384]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=600)
    return torch.load(run / "last.ckpt", weights_only=True)


@pytest.mark.parametrize(("muon", "devices"), [(False, 1), (True, 1), (True, 2)])
def test_a_resumed_run_is_the_undisturbed_one(songs, tmp_path, muon, devices):
    more = (
        SMALL,
        "--recipe",
        json.dumps({"options": {"muon": muon}}),
        "--accelerator",
        "cpu",
        "--devices",
        devices,
    )
    whole = train(songs, tmp_path / "whole", 4, *more)
    train(songs, tmp_path / "stopped", 2, *more)
    resumed = train(songs, tmp_path / "stopped", 4, *more)
    assert resumed["step"] == whole["step"] == 4
    for kind in ("network", "average"):
        for name, value in whole[kind].items():
            assert torch.equal(value, resumed[kind][name]), name
    best = load_file(tmp_path / "whole" / "best.safetensors")
    assert set(best) == set(whole["average"])
    assert len(whole["optimizers"]) == 1 + muon


def test_a_run_goes_on_at_its_size_and_others_start_from_its_spectra(songs, tmp_path):
    run = tmp_path / "run"
    first = train(songs, run, 2)
    command = [
        sys.executable,
        ROOT / "scripts" / "train.py",
        songs,
        run,
        "--steps",
        3,
        "--batch",
        1,
    ]
    command += ["--length", 16384, "--validation-length", 16384]
    subprocess.run(
        list(map(str, command)), check=True, capture_output=True, timeout=600
    )  # no --config
    assert torch.load(run / "last.ckpt", weights_only=True)["step"] == 3
    started = train(
        songs, tmp_path / "started", 1, SMALL, "--initial", run / "best.safetensors", "--seed", 5
    )
    assert torch.equal(started["network"]["sd"], first["network"]["sd"])


def test_one_stem_alone_is_not_asked_how_stems_relate(songs, tmp_path):
    command = [
        sys.executable,
        ROOT / "scripts" / "train.py",
        songs,
        tmp_path / "run",
        "--stem",
        "bass",
    ]
    refused = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    assert refused.returncode == 2
    assert "needs a --recipe" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_training_goes_on_with_more_blocks_and_attention_layers_or_fewer(tmp_path):
    sizes = (
        {"blocks": (3, 2), "attention_layers": 3},
        {"embedding": 32},
        {"channels": (8,), "blocks": (1,)},
    )
    trained, deeper, other, lower = (
        StftUnet(dataclasses.replace(TINY, **changes)) for changes in ({}, *sizes)
    )
    for parameter in trained.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    path = tmp_path / "best.safetensors"
    save_file(trained.state_dict(), path)
    load_initial(deeper, path)
    question = torch.randn(2, 4, 8192), torch.full((2, 4), 0.3), torch.randn(2, 8192)
    torch.testing.assert_close(deeper(*question), trained(*question))
    save_file(deeper.state_dict(), tmp_path / "deeper.safetensors")
    shallow = StftUnet(TINY)
    load_initial(shallow, tmp_path / "deeper.safetensors")
    torch.testing.assert_close(shallow(*question), trained(*question))
    for network in (other, lower):
        with pytest.raises(typer.BadParameter, match="of another network"):
            load_initial(network, path)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch has none yet")
def test_muon_steps_as_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in ((24, 60), (60, 24))]
    ours, theirs = ([torch.nn.Parameter(value.clone()) for value in start] for _ in range(2))
    kernels = start[0].clone().view(24, 15, 2, 2)
    convolution = torch.nn.Parameter(kernels.to(memory_format=torch.channels_last))
    options = {"momentum": 0.95, "weight_decay": 0.1}
    reference = torch.optim.Muon(theirs, 0.1, adjust_lr_fn="match_rms_adamw", **options)
    optimizer = Muon([*ours, convolution], 0.1, **options)
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = other.grad = torch.randn(one.shape, generator=generator)
        convolution.grad = ours[0].grad.view_as(convolution)
        optimizer.step()
        reference.step()
    for one, other, first in zip(ours, theirs, start, strict=True):
        moved = (other - first).norm()
        assert (one - other).norm() < 0.02 * moved  # theirs computes in bfloat16
    torch.testing.assert_close(convolution.flatten(1), ours[0])


def test_muon_steps_for_queries_keys_and_values_apart():
    torch.manual_seed(0)
    network = StftUnet(TINY)
    layer = network.attention[0]
    before = layer.qkv.weight.detach().clone()
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    layer.qkv.weight.grad[:32] *= 1e-3  # queries and keys, as at the start of a training
    for optimizer in build_optimizers(network, TrainingOptions(weight_decay=0.0)):
        optimizer.step()
    query, key, value = (layer.qkv.weight.detach() - before).chunk(3)
    assert query.norm() > 0.8 * value.norm()
    assert key.norm() > 0.8 * value.norm()


class Pull(torch.nn.Module):
    """Its gradient is the mean of what it is given."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2))
        self.unused = torch.nn.Parameter(torch.zeros(2))

    def forward(self, pull):
        return pull @ self.weight + 1


def test_half_precision_leaves_the_inputs_as_they_are():
    class Looking(torch.nn.Linear):
        def forward(self, x):
            computed = super().forward(x)
            assert (x.dtype, computed.dtype) == (torch.float32, torch.bfloat16)
            return computed

    looking = Fabric(accelerator="cpu", plugins=Mixed("bf16-mixed", "cpu")).setup(Looking(2, 2))
    assert looking(torch.ones(1, 2)).dtype == torch.float32


def test_no_crop_pulls_harder_than_its_norm_allows():
    fabric, pull = Fabric(accelerator="cpu"), Pull()
    objective = fabric.setup(pull)
    loss = backward_by_crop(fabric, objective, [torch.tensor([[30.0, 40.0], [0.5, 0.0]])], 1.0)
    assert loss == 1
    torch.testing.assert_close(pull.weight.grad, torch.tensor([(0.6 + 0.5) / 2, 0.8 / 2]))
    with pytest.raises(RuntimeError, match="not finite"):
        backward_by_crop(fabric, objective, [torch.tensor([[float("nan"), 0.0]])], 1.0)


def pull_apart(fabric, folder):
    """What one of two processes does."""
    pull = Pull()
    backward_by_crop(fabric, fabric.setup(pull), [torch.eye(2)[[fabric.global_rank]]], 1.0)
    torch.save(pull.weight.grad, folder / f"{fabric.global_rank}.pt")


def test_processes_share_their_gradients(tmp_path):
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn")
    fabric.launch(pull_apart, tmp_path)
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), torch.tensor([0.5, 0.5]))


def test_crops_are_a_function_of_their_generator(songs):
    corpus = Corpus(songs / "train", STEMS, 22050)
    assert len(corpus.songs) == 3
    one, two = (corpus.augmented(np.random.default_rng(3), 16384, Augmentation()) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (4, 16384)


def test_a_stem_is_read_from_what_was_decoded_with_others(songs, tmp_path):
    copy = shutil.copytree(
        songs / "train", tmp_path / "train", ignore=shutil.ignore_patterns(".cache")
    )
    corpus, name = Corpus(copy, STEMS, 22050), "Track00001"
    decoded = Corpus(copy, ("guitar",), 22050).load(name).copy()
    np.testing.assert_array_equal(decoded, corpus.load(name)[2:3])
    shutil.rmtree(copy / ".cache" / "guitar")
    np.testing.assert_array_equal(Corpus(copy, ("guitar",), 22050).load(name), decoded)
    assert not (copy / ".cache" / "guitar").exists()


def test_a_song_that_was_rendered_anew_is_decoded_anew(songs, tmp_path):
    copy, name = shutil.copytree(songs / "train", tmp_path / "train"), "Track00001"
    before = Corpus(copy, STEMS, 22050).load(name).copy()
    path = copy / name / "guitar.flac"
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[::-1], rate)
    after = Corpus(copy, STEMS, 22050).load(name)
    np.testing.assert_array_equal(after[:2], before[:2])
    assert not np.array_equal(after[2], before[2])


def test_what_happens_to_a_crop(songs):
    corpus = Corpus(songs / "train", STEMS, 22050)
    nothing = Augmentation(silenced=0, gain_db=(0, 0), stem_gain_db=0, paused=0)

    def crop(**changes):
        return corpus.augmented(
            np.random.default_rng(5), 16384, dataclasses.replace(nothing, **changes)
        )

    def rms(x):
        return np.sqrt(np.square(x).mean(1))

    plain = crop()
    assert (rms(crop(silenced=1)) == 0).sum() == 1
    paused = crop(paused=1)
    kept = np.flatnonzero(paused.any(0))
    assert (kept[0] > 100) != (kept[-1] < 16383 - 100)
    np.testing.assert_array_equal(paused[:, kept], plain[:, kept])
    np.testing.assert_allclose(rms(crop(gain_db=(6.02, 6.02))), 2 * rms(plain), rtol=1e-3)
    levels = 20 * np.log10(rms(crop(stem_gain_db=6)) / rms(plain))
    assert 1 < np.abs(levels).max() < 6
    assert np.ptp(levels) > 1


def test_variants_are_compared_from_one_start(songs, tmp_path):
    common = "--batch 1 --length 16384 --validation-length 16384 --config " + str(songs / "2.json")
    (songs / "2.json").write_text(json.dumps(SMALL))
    train(songs, tmp_path / "start", 2)
    quiet = """ --recipe '{"augmentation": {"gain_db": [-30, -20]}}'"""
    command = [
        sys.executable,
        ROOT / "scripts" / "bench" / "ablations.py",
        songs,
        tmp_path / "runs",
    ]
    command += [
        f"as it is={common}",
        f"quiet={common}{quiet}",
        "--start",
        tmp_path / "start" / "last.ckpt",
    ]
    command += ["--steps", 2, "--output", tmp_path / "log.md"]
    for _ in range(2):  # the second time there is nothing left to do
        subprocess.run(
            list(map(str, command)), check=True, capture_output=True, text=True, timeout=600
        )
    once, again = (tmp_path / "log.md").read_text().split("## ")[1:]
    assert once == again
    for name in ("as-it-is", "quiet"):
        log = (tmp_path / "runs" / name / "log.jsonl").read_text()
        assert log.count("si_sdri") == 1
    command[4] = f"as it is={common} --seed 1"
    assert subprocess.run(list(map(str, command)), capture_output=True, timeout=600).returncode == 1
    rows = [line.split(" | ") for line in once.splitlines() if "| 2 |" in line]
    assert [row[0] for row in rows] == ["| as it is", "| quiet"]
    first, second = (
        torch.load(tmp_path / "runs" / name / "last.ckpt") for name in ("as-it-is", "quiet")
    )
    assert first["step"] == second["step"] == 4
    assert not torch.equal(
        first["network"]["split.weights.0"], second["network"]["split.weights.0"]
    )


def test_a_prior_alone_is_chosen_by_how_it_denoises(songs, tmp_path):
    prior = json.dumps({"questions": {"regress": 0, "refine": 0, "refine_known": 0, "impute": 0}})
    train(songs, tmp_path / "prior", 2, SMALL, "--recipe", prior)
    train(songs, tmp_path / "bass", 2, SMALL, "--recipe", prior, "--stem", "bass")
    for run in ("prior", "bass"):
        last = json.loads((tmp_path / run / "log.jsonl").read_text().splitlines()[-1])
        assert "denoise_0.3" in last
        assert "si_sdri" not in last
        assert (tmp_path / run / "best.safetensors").exists()


def test_the_error_of_a_wiener_filter_is_known_for_white_stems():
    power, noise = 0.2**2, np.square(SIGMAS)
    white = np.random.default_rng(0).standard_normal((2, 4, 49152), dtype=np.float32) * np.float32(
        0.2
    )
    errors = expect_wiener_errors(torch.from_numpy(white))
    assert errors.numpy() == pytest.approx(power * noise / (power + noise), rel=0.02)


def test_untrained_it_denoises_as_a_wiener_filter(songs):
    validation = Validation(Corpus(songs / "validation", STEMS, 22050), 16384)
    network = StftUnet(StftUnetConfig(channels=(8, 16), blocks=(1, 1), attention_layers=1, heads=2))
    power = network.stft(validation.stems).square().sum(2).mean((0, -1))
    network.sd.copy_((power + 1e-10).sqrt())
    figures = validation.score(network)
    assert [figures[f"denoise_{sigma}"] for sigma in SIGMAS] == pytest.approx([1, 1, 1], rel=0.1)


def test_untrained_the_loss_is_that_of_the_static_wiener_filter(songs):
    network = StftUnet(StftUnetConfig(channels=(8, 16), blocks=(1, 1), attention_layers=1, heads=2))
    rng, mix = np.random.default_rng(0), QuestionMix()
    drawn = [mix.draw(rng, 4) for _ in range(400)]
    assert {given for _, given in drawn} == {True, False}
    assert any((sigma == 0).any() for sigma, _ in drawn)
    sigma = torch.tensor(np.stack([sigma for sigma, _ in drawn[:8]]), dtype=torch.float32)
    given = torch.tensor([float(flag) for _, flag in drawn[:8]])
    stems, noise = torch.randn(8, 4, 4096) * 0.1, torch.randn(8, 4, 4096)
    loss = ScoreMatching(network)(stems, sigma, given, noise)
    # error / (error + FLOOR * mean error): below 1, and above what four equal errors less the floor give.
    assert (loss < 1).all()
    assert loss.mean() > 0.5


def test_refining_is_learned_from_the_networks_own_estimates(monkeypatch):
    network = StftUnet(StftUnetConfig(channels=(8, 16), blocks=(1, 1), attention_layers=1, heads=2))
    asked, answered = [], []
    answer = network.denoise_transform

    def watch(noisy, sigma, observed, given):
        asked.append((noisy, sigma))
        answered.append(answer(noisy, sigma, observed, given))
        return answered[-1]

    monkeypatch.setattr(network, "denoise_transform", watch)
    sigma = torch.tensor([torch.inf, 0.1, 0.1, 0.1])[:, None].repeat(1, 4)
    sigma[3, 1] = 0  # known
    given = torch.tensor([1.0, 1.0, 0.0, 1.0])
    stems, noise = torch.randn(4, 4, 4096) * 0.1, torch.randn(4, 4, 4096)
    ScoreMatching(network)(stems, sigma, given, noise)
    clean, unit = network.stft(stems), network.stft(noise)
    (nothing, infinite), (noisy, _) = asked
    assert not nothing.any()
    assert (infinite == network.config.sigma_max).all()
    torch.testing.assert_close(noisy[1:2], answered[0] + 0.1 * unit[1:2])
    torch.testing.assert_close(noisy[2], clean[2] + 0.1 * unit[2])
    torch.testing.assert_close(noisy[3, 1], clean[3, 1])
    assert not answered[0].requires_grad


def test_compiled_the_loss_and_its_gradients_are_the_same():
    network = StftUnet(TINY)
    sigma = torch.tensor([torch.inf, 0.1])[:, None].repeat(
        1, 4
    )  # the second is refined: two calls of the denoiser
    question = torch.randn(2, 4, 4096) * 0.1, sigma, torch.ones(2), torch.randn(2, 4, 4096)
    graphs, results = [], []

    def keep(graph, inputs):
        del inputs
        graphs.append(graph)
        return graph.forward

    plain, compiled = ScoreMatching(network), ScoreMatching(network)
    compiled.compile(backend=keep)
    for loss in (plain, compiled):
        network.zero_grad()
        values = loss(*question)
        values.sum().backward()
        results.append(
            [values, *(p.grad.clone() for p in network.parameters() if p.grad is not None)]
        )
    assert graphs
    assert len(results[0]) > 10
    torch.testing.assert_close(results[1], results[0])


def test_the_papers_network_is_trained_resumed_and_imported(songs, tmp_path, monkeypatch):
    from msdm_cli.backends.runtime import Runtime
    from msdm_cli.models.adopt import adopt_checkpoints
    from msdm_cli.models.load import load_model

    options = (SMALL_UNET1D, "--architecture", "unet1d")
    once = train(songs, tmp_path / "once", 4, *options)
    train(songs, tmp_path / "twice", 2, *options)
    twice = train(songs, tmp_path / "twice", 4, *options)
    for name, value in once["network"].items():
        assert torch.equal(value, twice["network"][name]), name
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    adopt_checkpoints("mine", [tmp_path / "once"], "for a test", "none")
    model = load_model("mine", Runtime(device="cpu"))
    assert model.spec.architecture == "unet1d"
    assert torch.equal(
        model.denoiser.network.frequencies,
        load_file(tmp_path / "once" / "best.safetensors")["frequencies"],
    )


def test_one_stem_is_trained_by_itself(songs, tmp_path):
    state = train(
        songs, tmp_path / "bass", 2, SMALL_UNET1D, "--architecture", "unet1d", "--stem", "bass"
    )
    assert state["network"]["patch.conv_in.weight"].shape[1] == 1


def test_priors_are_trained_and_separate_in_the_papers_ways(songs, tmp_path):
    command = [
        sys.executable,
        ROOT / "scripts" / "bench" / "priors.py",
        songs,
        tmp_path / "runs",
        "--steps",
        8,
    ]
    command += [
        "--training",
        "--batch 1 --length 16384 --validation-length 16384",
        "--num-steps",
        3,
    ]
    command += ["--songs", 1, "--seconds", 5, "--output", tmp_path / "table.md"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=600)
    rows = [
        line.split(" | ")
        for line in (tmp_path / "table.md").read_text().splitlines()
        if " | " in line
    ]
    networks = {row[0][2:]: row[1] for row in rows if row[0][2:] in ("joint", "told", *STEMS)}
    assert networks == {"joint": "8", "told": "8"} | dict.fromkeys(STEMS, "2")
    calls = {row[0][2:]: row[1] for row in rows[8:]}
    assert len(calls) == 10
    assert calls["per stem, dirac"] == calls["joint, gaussian"] == "3"
    assert (
        calls["per stem, gaussian, with correction"]
        == calls["joint, dirac, with correction"]
        == "6"
    )
    assert calls["told the mixture, ours"] == "1"
    assert len({row[6] for row in rows[8:]}) == 10
