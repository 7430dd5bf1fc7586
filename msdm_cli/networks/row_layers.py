"""Convolutions over rows: ``[B, L, C]``, one position per row, channels side by side.

In this layout a convolution is a sum of matrix products, one per tap (or one per ``stride`` taps,
whose channels lie side by side), which read the rows in place. On a CPU this is as fast as matrix
products are; PyTorch's one-dimensional convolutions are much slower. Where gradients are needed,
and on other devices, PyTorch's convolution is used. It gives the same result up to rounding.

In single precision PyTorch multiplies with MKL, which reaches half of the speed of an AMD
processor. Here oneDNN multiplies, which reaches all of it on any processor
(``scripts/bench/RESULTS.md``).

Weights are stored as the products use them: ``[taps, C_in, C_out]``.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

ONEDNN = hasattr(torch.ops.mkldnn, "_linear_pointwise")
"""Whether this PyTorch has oneDNN; the operator is internal to PyTorch."""

TILE = 4
"""Positions that Winograd's method computes at once."""

WINOGRAD_POSITIONS = 256
"""Shortest input for which Winograd's method is faster."""

WINOGRAD_CHANNELS = 128
"""Smallest number of channels for which Winograd's method is faster."""

# F(4, 3) at the points 0, 1, -1, 2, -2, inf. Source: Lavin and Gray, arXiv 1509.09308, section 4.3.
FILTER = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)


class RowConv(nn.Module):
    """Convolution over rows, like ``nn.Conv1d``.

    Args:
        channels_in: Channels in, I.
        channels: Channels out, O.
        kernel: Number of taps.
        stride: Distance between the positions that are computed.
        padding: Zeros at either end.
    """

    def __init__(
        self, channels_in: int, channels: int, kernel: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        self.stride = stride
        self.padding = padding
        bound = (channels_in * kernel) ** -0.5
        self.weight = nn.Parameter(
            torch.empty(kernel, channels_in, channels).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))
        self._kept_filters: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, I] -> [B, (L + 2 padding - kernel) // stride + 1, O]``."""
        if torch.is_grad_enabled() or x.device.type != "cpu":
            kernel = self.weight.permute(2, 1, 0)
            y = functional.conv1d(x.transpose(1, 2), kernel, self.bias, self.stride, self.padding)
            return y.transpose(1, 2)
        taps, channels_in, channels = self.weight.shape
        length = x.shape[1]
        count = (length + 2 * self.padding - taps) // self.stride + 1
        if taps == 3 and self._fits_tiles(length, count, min(channels_in, channels)):
            items = [self._convolve_tiles(rows) for rows in x]
        else:
            groups = -(-taps // self.stride)
            missing = (count + groups - 1) * self.stride - length - self.padding
            padded = functional.pad(x, (0, 0, self.padding, max(missing, 0)))
            items = [self._convolve(rows, count) for rows in padded]
        return torch.stack(items) if len(items) > 1 else items[0][None]

    def _convolve(self, rows: Tensor, count: int) -> Tensor:
        """One product per group of taps, ``[padded, I] -> [count, O]``."""
        stride = self.stride
        channels_in = rows.shape[1]
        out: Tensor = self.bias
        for first in range(0, len(self.weight), stride):
            taps = self.weight[first : first + stride].flatten(0, 1)
            windows = rows[first : first + count * stride].view(count, stride * channels_in)
            windows = windows[:, : len(taps)]
            if first:
                out.add_(_multiply(windows, taps))
            else:
                out = _multiply(windows, taps, self.bias)
        return out

    def _fits_tiles(self, length: int, count: int, channels: int) -> bool:
        return (
            length == count
            and self.padding == 1
            and length % TILE == 0
            and length >= WINOGRAD_POSITIONS
            and channels >= WINOGRAD_CHANNELS
            and self.weight.dtype == torch.float32
        )

    def _convolve_tiles(self, rows: Tensor) -> Tensor:
        """Winograd's minimal filtering: half of the multiplications, ``[L, I] -> [L, O]``."""
        padded = functional.pad(rows, (0, 0, 1, TILE - 1)).view(-1, TILE, rows.shape[1])
        x0, x1, x2, x3 = padded[:-1].unbind(1)
        x4 = padded[1:, 0]
        x5 = padded[1:, 1]
        points = _transform_tiles(x0, x1, x2, x3, x4, x5)
        return _gather_tiles(map(_multiply, points, self._filters()), self.bias)

    def _filters(self) -> Tensor:
        """The weights at the six points, ``[6, I, O]``.

        Those of frozen weights are kept, because the transform takes long.
        """
        frozen = not self.weight.requires_grad
        if frozen and self._kept_filters is not None:
            return self._kept_filters
        filters = (self.weight.new_tensor(FILTER) @ self.weight.flatten(1)).view(
            len(FILTER), *self.weight.shape[1:]
        )
        self._kept_filters = filters if frozen else None
        return filters


def _transform_tiles(
    x0: Tensor, x1: Tensor, x2: Tensor, x3: Tensor, x4: Tensor, x5: Tensor
) -> Tensor:
    """Six samples of each tile at the six points, ``6 x [tiles, I] -> [6, tiles, I]``."""
    points = x0.new_empty(6, *x0.shape)
    even = torch.sub(x4, x2, alpha=4)
    odd = torch.sub(x3, x1, alpha=4)
    torch.add(even, odd, out=points[1])
    torch.sub(even, odd, out=points[2])
    torch.sub(x4, x2, out=even)
    torch.sub(x3, x1, out=odd)
    torch.add(even, odd, alpha=2, out=points[3])
    torch.sub(even, odd, alpha=2, out=points[4])
    torch.sub(x0, x2, out=points[0])
    torch.add(even, points[0], alpha=4, out=points[0])
    torch.sub(x5, x3, out=points[5])
    points[5].sub_(odd, alpha=4)
    return points


def _gather_tiles(products: Iterable[Tensor], bias: Tensor) -> Tensor:
    """Four samples of each tile from the six points, ``6 x [tiles, O] -> [4 tiles, O]``."""
    at_0, at_1, at_2, at_3, at_4, at_inf = products
    out = at_0.new_empty(len(at_0), TILE, len(bias))
    torch.add(at_1, at_2, out=out[:, 2])
    one = torch.sub(at_1, at_2, out=at_2)
    two = torch.add(at_3, at_4, out=at_1)
    odd_two = torch.sub(at_3, at_4, out=at_4)
    torch.add(at_0, out[:, 2], out=out[:, 0])
    out[:, 0] += two
    torch.add(one, odd_two, alpha=2, out=out[:, 1])
    out[:, 2].add_(two, alpha=4)
    torch.add(one, odd_two, alpha=8, out=out[:, 3])
    out[:, 3] += at_inf
    return out.add_(bias).flatten(0, 1)


class RowLengthen(nn.Module):
    """Transposed convolution whose kernel is two strides long, like ``nn.ConvTranspose1d``.

    The result is ``factor`` times as long as the input.

    Args:
        channels_in: Channels in, I.
        channels: Channels out, O.
        factor: The stride f.
    """

    def __init__(self, channels_in: int, channels: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        bound = (channels * 2 * factor) ** -0.5
        self.weight = nn.Parameter(
            torch.empty(2, channels_in, factor, channels).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, I] -> [B, f L, O]``."""
        batch, length, _ = x.shape
        factor, channels = self.weight.shape[2:]
        padding = factor // 2 + factor % 2
        if torch.is_grad_enabled() or x.device.type != "cpu":
            kernel = self.weight.permute(1, 3, 0, 2).flatten(2)
            y = functional.conv_transpose1d(
                x.transpose(1, 2), kernel, self.bias, factor, padding, output_padding=factor % 2
            )
            return y.transpose(1, 2)
        first, second = self.weight.flatten(2)
        bias = self.bias.repeat(factor)
        y = x.new_empty(batch, length + 1, factor * channels)
        for rows, out in zip(x, y, strict=True):
            out[:-1] = _multiply(rows, first, bias)
            out[-1] = bias
            out[1:] += _multiply(rows, second)
        lengthened = y.view(batch, (length + 1) * factor, channels)
        return lengthened[:, padding : padding + length * factor]


class RowLinear(nn.Linear):
    """Linear layer over rows."""

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, I] -> [B, L, O]``."""
        if torch.is_grad_enabled() or x.device.type != "cpu":
            return super().forward(x)
        return _multiply(x.flatten(0, 1), self.weight.T, self.bias).view(*x.shape[:2], -1)


class RowNorm(nn.GroupNorm):
    """GroupNorm over rows."""

    def forward(self, x: Tensor) -> Tensor:
        """``[B, L, C] -> [B, L, C]``."""
        # The derivative of the way below crashes in PyTorch 2.13.
        if torch.is_grad_enabled():
            return super().forward(x.transpose(1, 2)).transpose(1, 2)
        # Rows are an image of height 1 in PyTorch's channels-last format, without a copy.
        image = x.transpose(1, 2).unsqueeze(2)
        return super().forward(image).squeeze(2).transpose(1, 2)


def _multiply(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Rows times weights plus a bias, ``[L, I], [I, O], [O] -> [L, O]``."""
    if rows.dtype == torch.float32 and ONEDNN:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight.T, bias, "none", [], "")
        return product
    return functional.linear(rows, weight.T, bias)
