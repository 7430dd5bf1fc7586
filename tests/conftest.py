"""What several tests share: a small model with random weights, and songs."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
import pytest
import soundfile
import torch

from msdm_cli.models.load import Model
from msdm_cli.models.spec import ModelSpec, Preset
from msdm_cli.models.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.models.torch_backend import TorchDenoiser

STEMS = ("bass", "drums", "guitar", "piano")
TINY = StftUnetConfig(channels=(8, 16), blocks=1, attention_layers=1, heads=2, embedding=16)


def tiny_network(seed=0):
    torch.manual_seed(seed)
    network = StftUnet(TINY)
    with torch.no_grad():
        for weight in network.merge.weights:  # the last layer starts at zero; these weights are to do something
            weight.normal_(0, 0.02)
        network.sd.copy_(torch.rand_like(network.sd) * 0.1 + 0.01)
    return network


@pytest.fixture(scope="session")
def tiny_model():
    regression = Preset(num_steps=0, sigma_max=0.1, warm_start=True)
    refined = Preset(num_steps=2, sigma_max=0.1, warm_start=True, samples=2)
    cold = Preset(num_steps=3, sigma_max=10.0)
    spec = ModelSpec(
        name="tiny",
        architecture="stft_unet",
        config={},
        stems=STEMS,
        sample_rate=22050,
        chunk_length=16384,
        context=1024,
        length_multiple=TINY.length_multiple,
        sigma_max=TINY.sigma_max,
        presets={
            "separate": {"fast": regression, "default": refined},
            "impute": {"default": cold},
            "generate": {"default": cold},
        },
    )
    return Model(spec, TorchDenoiser(tiny_network(), torch.device("cpu")), torch.device("cpu"))


def music(frames, channels=1, rate=22050, seed=0):
    """A few decaying tones and clicks, ``[C, T]``, below full scale."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / rate
    tones = sum(
        np.sin(2 * np.pi * pitch * time[None] + phase) * np.exp(-3 * (time % 0.5))
        for pitch, phase in zip((55, 220, 330, 5000), rng.uniform(0, 6, (4, channels, 1)), strict=True)
    )
    clicks = rng.standard_normal((channels, frames)) * np.exp(-40 * (time % 0.25))
    return ((tones * 0.1 + clicks * 0.2) * 0.5).clip(-0.9, 0.9).astype(np.float32)


@pytest.fixture
def write_song(tmp_path):
    def write(name="song.wav", seconds=2.0, rate=44100, channels=2, subtype="PCM_16", seed=0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, music(int(seconds * rate), channels, rate, seed).T, rate, subtype)
        return path

    return write
