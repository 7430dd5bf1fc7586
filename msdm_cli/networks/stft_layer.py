"""The transform of ``msdm_cli.diffusion.stft`` as a layer of PyTorch.

It has gradients, runs on a GPU, and works in real arithmetic with frames last, as the layers after
it do. The one on NumPy arrays is for code that must not import PyTorch.
"""

import torch
from torch import Tensor, nn


class StftLayer(nn.Module):
    """Short-time Fourier transform and its exact inverse.

    White noise of standard deviation sigma has ``E|N|^2 = sigma^2`` in every bin.

    Args:
        n_fft: Length of the window and of the transform, in samples.
        hop: Distance of frames, in samples; divides ``n_fft``.
    """

    window: Tensor

    def __init__(self, n_fft: int, hop: int) -> None:
        super().__init__()
        if n_fft % hop or n_fft < 2 * hop:
            raise ValueError(
                f"expected a hop that divides n_fft at least twice, got {hop} and {n_fft}"
            )
        self.n_fft = n_fft
        self.hop = hop
        window = torch.hann_window(n_fft, periodic=True, dtype=torch.float64)
        self.register_buffer("window", (window / window.norm()).float(), persistent=False)

    @property
    def bins(self) -> int:
        """Number of frequency bins."""
        return self.n_fft // 2 + 1

    def forward(self, x: Tensor) -> Tensor:
        """The transform of a signal.

        Args:
            x: Signal.

        Returns:
            Coefficients, real and imaginary parts apart.

        Shape:
            ``[..., T] -> [..., 2, bins, T // hop]``, T a multiple of ``hop``.
        """
        *lead, length = x.shape
        if length % self.hop:
            raise ValueError(f"expected a length that is a multiple of {self.hop}, got {length}")
        pad = (self.n_fft - self.hop) // 2
        padded = nn.functional.pad(x.reshape(-1, length), (pad, pad))
        frames = torch.stft(
            padded,
            self.n_fft,
            self.hop,
            window=self.window.to(x.dtype),
            center=False,
            return_complex=True,
        )
        parts = torch.stack((frames.real, frames.imag), 1)
        return parts.reshape(*lead, 2, self.bins, length // self.hop)

    def inverse(self, parts: Tensor) -> Tensor:
        """The signal whose transform is nearest to ``parts``.

        Args:
            parts: Coefficients as ``forward`` gives them.

        Returns:
            Signal.

        Shape:
            ``[..., 2, bins, frames] -> [..., frames * hop]``
        """
        *lead, _, bins, count = parts.shape
        flat = parts.reshape(-1, 2, bins, count)
        window = self.window.to(parts.dtype)
        spectrum = torch.complex(flat[:, 0], flat[:, 1])
        frames = torch.fft.irfft(spectrum, self.n_fft, dim=1) * window[:, None]
        summed = self._overlap_add(frames)
        weight = self._overlap_add(window.square()[:, None].expand(1, -1, count))
        pad = (self.n_fft - self.hop) // 2
        signal = (summed / weight.clamp_min(1e-12))[:, pad : pad + count * self.hop]
        return signal.reshape(*lead, count * self.hop)

    def _overlap_add(self, frames: Tensor) -> Tensor:
        """``[B, n_fft, frames] -> [B, (frames - 1) * hop + n_fft]``."""
        total = (frames.shape[-1] - 1) * self.hop + self.n_fft
        folded = nn.functional.fold(frames, (1, total), (1, self.n_fft), stride=(1, self.hop))
        return folded[:, 0, 0]
