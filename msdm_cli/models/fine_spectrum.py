"""Spectra of a longer window, from a transform of a short one.

What a bin of a short-time Fourier transform holds, frame after frame, is the music of a narrow band. A Fourier
transform over several of these frames splits the bin further: it tells apart what a window that spans them all would
(the cascade of the hybrid filter banks of audio coders, as in MPEG-1 layer 3), and costs next to nothing.
"""

import torch
from torch import Tensor, nn


class FineSpectrum(nn.Module):
    """Power of the parts of every bin, over the ``FRAMES`` frames around a token.

    Args:
        overlap: Frames in a window of the transform: a bin advances by one turn in as many bins' frames.
        stride: Frames per token.
    """

    FRAMES = 16
    PARTS = 4

    kernel: Tensor

    def __init__(self, overlap: int, stride: int) -> None:
        super().__init__()
        self.overlap, self.stride = overlap, stride
        window = torch.hann_window(self.FRAMES + 2, periodic=False)[1:-1]
        centres = (torch.arange(self.PARTS) + 0.5) / self.PARTS - 0.5  # in bins
        angles = -2 * torch.pi / overlap * centres[:, None] * torch.arange(self.FRAMES)
        real, imaginary = window / window.sum() * torch.stack((angles.cos(), angles.sin()))
        # A complex product in real arithmetic, ``[2 PARTS, 2, 1, FRAMES]``.
        kernel = torch.cat((torch.stack((real, -imaginary), 1), torch.stack((imaginary, real), 1)))
        self.register_buffer("kernel", kernel[:, :, None], persistent=False)

    def forward(self, transform: Tensor) -> Tensor:
        """Split bins; a sinusoid in the middle of a part has the power there that it has in a bin.

        Shape:
            ``[B, 2, bins, frames] -> [B, PARTS, bins, frames // stride]``
        """
        bins, frames = transform.shape[2:]
        bin_index = torch.arange(bins, device=transform.device)[:, None]
        turns = bin_index * torch.arange(frames, device=transform.device) % self.overlap
        angles = -2 * torch.pi / self.overlap * turns
        cosine, sine = angles.cos(), angles.sin()
        real, imaginary = transform.unbind(1)
        still = torch.stack((real * cosine - imaginary * sine, real * sine + imaginary * cosine), 1)
        around = self.FRAMES - self.stride
        padded = nn.functional.pad(still, (around // 2, around - around // 2))
        split = nn.functional.conv2d(padded, self.kernel, stride=(1, self.stride))
        return split.unflatten(1, (2, self.PARTS)).square().sum(1)
