"""The transform of ``msdm_cli.networks.stft_layer`` for ONNX.

ONNX has no overlap-add, and not every runtime has its operators for Fourier transforms on every
device. Every runtime multiplies matrices fast.
"""

import torch
from torch import Tensor, nn

from msdm_cli.networks.stft_layer import StftLayer


class MatrixStft(StftLayer):
    """The transform of ``StftLayer`` as products with matrices.

    The matrices are computed in the graph and not stored in it; a runtime folds them when it loads
    the graph.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``[B, ..., T] -> [B, ..., 2, bins, T // hop]``."""
        pad = (self.n_fft - self.hop) // 2
        overlap = self.n_fft // self.hop
        hops = nn.functional.pad(x, (pad, pad)).unflatten(-1, (-1, self.hop))  # type: ignore[no-untyped-call]
        count = hops.shape[-2] - overlap + 1
        frames = torch.cat([hops[..., start : start + count, :] for start in range(overlap)], -1)
        parts = (frames @ (self._waves() * self.window).T).transpose(-1, -2)
        return parts.unflatten(-2, (2, self.bins))  # type: ignore[no-untyped-call]

    def inverse(self, parts: Tensor) -> Tensor:
        """``[B, ..., 2, bins, frames] -> [B, ..., frames * hop]``."""
        bins = torch.arange(2 * self.bins) % self.bins
        # All bins but the first and the last also stand for their mirror images.
        doubled = torch.where((bins == 0) | (bins == self.bins - 1), 1.0, 2.0)
        synthesis = self._waves() * doubled[:, None] * self.window / self.n_fft
        frames = parts.flatten(-3, -2).transpose(-1, -2) @ synthesis
        pad = (self.n_fft - self.hop) // 2
        length = parts.shape[-1] * self.hop
        weight = self._overlap_add(self.window.square().expand(frames.shape[-2:]))
        signal = self._overlap_add(frames) / weight
        return signal[..., pad : pad + length]

    def _waves(self) -> Tensor:
        """Real and imaginary parts of ``exp(-2 pi i k n / n_fft)``, ``[2 bins, n_fft]``."""
        # Modulo n_fft in whole numbers, so that large products do not lose precision.
        turns = torch.arange(self.bins)[:, None] * torch.arange(self.n_fft) % self.n_fft
        angles = turns * (2 * torch.pi / self.n_fft)
        return torch.cat((angles.cos(), -angles.sin()))

    def _overlap_add(self, frames: Tensor) -> Tensor:
        """``[..., frames, n_fft] -> [..., (frames + n_fft // hop - 1) * hop]``."""
        overlap = self.n_fft // self.hop
        hops = frames.unflatten(-1, (overlap, self.hop))  # type: ignore[no-untyped-call]
        shifted = [
            nn.functional.pad(hops[..., index, :], (0, 0, index, overlap - 1 - index))
            for index in range(overlap)
        ]
        return torch.stack(shifted).sum(0).flatten(-2)
