"""Embeddings of music by a published network, in PyTorch: musicnn (arXiv 1909.06654).

    pip install --no-deps musicnn==0.1.0

The package carries its weights; TensorFlow, which it asks for, is not needed here. A Frechet
distance of these embeddings is comparable with itself alone, and not with published FAD.
"""

from importlib.util import find_spec
from pathlib import Path

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from msdm_cli.diffusion.denoiser import Samples
from scripts.bench.tf_checkpoint import load_checkpoint

RATE_HZ = 16000
WINDOW_FRAMES = 187
"""Frames of a window of 3 s."""

WINDOWS_AT_ONCE = 8
"""So that memory does not grow with the length of a sound."""

EPSILON = 1e-3
"""Of TensorFlow's batch normalisation."""

TIMBRAL = (0, 1)
TEMPORAL = {2: 128, 3: 64, 4: 32}
"""Numbers of the first convolutions; the temporal ones with their lengths."""


class Musicnn:
    """The network that was trained on the Million Song Dataset.

    Args:
        checkpoint: Its file ``NAME.index``; that of the package by default.
    """

    def __init__(self, checkpoint: Path | None = None) -> None:
        tensors = load_checkpoint(checkpoint or find_checkpoint())
        self._tensors = {name: torch.tensor(value) for name, value in tensors.items()}

    @torch.no_grad()
    def embed(self, x: Samples, rate_hz: int) -> NDArray[np.float32]:
        """Embeddings of a sound's windows of 3 s, ``[T] -> [windows, 200]``."""
        batches = torch.split(cut_windows(x, rate_hz), WINDOWS_AT_ONCE)
        return torch.cat([self._embed_windows(windows) for windows in batches]).numpy()

    def _embed_windows(self, windows: Tensor) -> Tensor:
        """Embeddings of logarithmic mel spectra, ``[B, frames, 96] -> [B, 200]``."""
        h = self._normalise(windows[..., None], 0)
        front = [
            self._normalise(self._convolve(h, number, (0, 0, 3, 3)), number + 1).amax(2)
            for number in TIMBRAL
        ]
        for number, length in TEMPORAL.items():
            before = (length - 1) // 2
            convolved = self._convolve(h, number, (0, 0, before, length - 1 - before))
            front.append(self._normalise(convolved, number + 1).amax(2))
        first = torch.cat(front, 2)
        layers = [self._advance(first[..., None], 5)]
        for number in (6, 7):
            layers.append(self._advance(layers[-1], number) + layers[-1])
        features = torch.cat([first, *(layer.squeeze(-1) for layer in layers)], 2)
        pooled = torch.stack([features.amax(1), features.mean(1)], 2).flatten(1)
        dense = self._normalise(pooled, 9) @ self._tensors["dense/kernel"]
        return self._normalise(functional.relu(dense + self._tensors["dense/bias"]), 10)

    def _advance(self, x: Tensor, number: int) -> Tensor:
        convolved = self._convolve(x, number, (0, 0, 3, 3))
        return self._normalise(convolved, number + 1).permute(0, 1, 3, 2)

    def _convolve(self, x: Tensor, number: int, padding: tuple[int, int, int, int]) -> Tensor:
        """Convolution and ReLU of channels last, ``[B, T, M, C] -> [B, T, M', C']``."""
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = self._tensors[f"{name}/kernel"].permute(3, 2, 0, 1)
        padded = functional.pad(x.permute(0, 3, 1, 2), padding)
        convolved = functional.conv2d(padded, kernel, self._tensors[f"{name}/bias"])
        return functional.relu(convolved).permute(0, 2, 3, 1)

    def _normalise(self, x: Tensor, number: int) -> Tensor:
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        gamma, beta, mean, variance = (
            self._tensors[f"{name}/{part}"]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / torch.sqrt(variance + EPSILON) * gamma + beta


def find_checkpoint() -> Path:
    """The checkpoint in the package, which is not imported.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    found = find_spec("musicnn")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("musicnn: pip install --no-deps musicnn==0.1.0")
    return Path(found.submodule_search_locations[0]) / "MSD_musicnn" / ".index"


def cut_windows(x: Samples, rate_hz: int) -> Tensor:
    """Logarithmic mel spectra of windows, ``[T] -> [windows, WINDOW_FRAMES, 96]``."""
    sound = librosa.resample(np.asarray(x, np.float32), orig_sr=rate_hz, target_sr=RATE_HZ)
    mel = librosa.feature.melspectrogram(
        y=sound, sr=RATE_HZ, n_fft=512, hop_length=256, n_mels=96, pad_mode="constant"
    )
    frames = np.log10(10000 * mel + 1).T.astype(np.float32)
    count = len(frames) // WINDOW_FRAMES
    return torch.from_numpy(frames[: count * WINDOW_FRAMES].reshape(count, WINDOW_FRAMES, -1))
