"""A short-time Fourier transform whose inverse is exact, on NumPy arrays.

A signal of T samples has ``T // hop`` frames of ``n_fft // 2 + 1`` bins. Both ends are padded with
``(n_fft - hop) // 2`` zeros, which centres each frame on the middle of its hop.

The analysis window is a periodic Hann window divided by its 2-norm, so white noise of standard
deviation sigma has ``E|N|^2 = sigma^2`` in every bin. The synthesis divides by the summed squares
of the windows (weighted overlap-add; Griffin & Lim 1984, eq. 6). This is the least-squares
inverse, and it reconstructs the signal exactly, also at the ends.

``msdm_cli.networks.stft_layer`` has the same transform as a layer of PyTorch, with gradients. This
one is for conditions and ideal masks, which must not import PyTorch (a second or more), and which
are tested in double precision.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples

Transform = NDArray[np.complexfloating[Any, Any]]


class Stft:
    """Short-time Fourier transform and its exact inverse.

    Args:
        n_fft: Length of the window and of the transform, in samples.
        hop: Distance of frames, in samples; divides ``n_fft``.
    """

    def __init__(self, n_fft: int, hop: int) -> None:
        if n_fft % hop or n_fft < 2 * hop:
            raise ValueError(
                f"expected a hop that divides n_fft at least twice, got {hop} and {n_fft}"
            )
        self.n_fft = n_fft
        self.hop = hop
        window = np.hanning(n_fft + 1)[:-1]
        self.window = window / np.linalg.norm(window)

    def __call__(self, x: Samples) -> Transform:
        """The transform of a signal.

        Shape:
            ``[..., T] -> [..., T // hop, bins]``, T a multiple of ``hop``.
        """
        if x.shape[-1] % self.hop:
            raise ValueError(
                f"expected a length that is a multiple of {self.hop}, got {x.shape[-1]}"
            )
        pad = (self.n_fft - self.hop) // 2
        padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(pad, pad)])
        frames = sliding_window_view(padded, self.n_fft, -1)[..., :: self.hop, :]
        return np.fft.rfft(frames * self.window.astype(x.dtype)).astype(
            np.result_type(x.dtype, np.complex64)
        )

    def inverse(self, transform: Transform) -> Samples:
        """The signal whose transform is nearest.

        Shape:
            ``[..., frames, bins] -> [..., frames * hop]``
        """
        frames = np.fft.irfft(transform, self.n_fft).astype(transform.real.dtype)
        window = self.window.astype(frames.dtype)
        count = frames.shape[-2]
        summed = self._overlap_add(frames * window)
        weight = self._overlap_add(np.broadcast_to(window**2, (count, self.n_fft)))
        pad = (self.n_fft - self.hop) // 2
        # The weight is 0 only in the padding, which is cut off.
        return (summed / np.maximum(weight, 1e-12))[..., pad : pad + count * self.hop]

    def _overlap_add(self, frames: Samples) -> Samples:
        """``[..., frames, n_fft] -> [..., (frames - 1) * hop + n_fft]``."""
        *lead, count, _ = frames.shape
        parts = frames.reshape(*lead, count, -1, self.hop)
        hops = np.zeros((*lead, count + parts.shape[-2] - 1, self.hop), frames.dtype)
        for offset in range(parts.shape[-2]):
            hops[..., offset : offset + count, :] += parts[..., offset, :]
        return hops.reshape(*lead, -1)
