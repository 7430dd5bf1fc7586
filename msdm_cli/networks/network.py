"""What every network offers, whatever its architecture."""

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class NetworkConfig(Protocol):
    """Size of a network: a frozen dataclass that checks its own values."""

    @property
    def stems(self) -> int:
        """Number of stems."""
        ...

    @property
    def length_multiple(self) -> int:
        """The network takes lengths that are multiples of this, in samples."""
        ...


def check_positive(config: Any, may_be_zero: Container[str] = ()) -> None:
    """Refuse a config with a number, alone or in a sequence, that is not above 0 and finite.

    Args:
        config: A dataclass.
        may_be_zero: Fields that may be 0.

    Raises:
        ValueError: A number is not, or is NaN.
        TypeError: There is something else than numbers.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        zero = field.name in may_be_zero
        # Written so that NaN is refused, too.
        if not all(
            isinstance(n, bool) or 0 < n < math.inf or (zero and n == 0) for n in _list(value)
        ):
            raise ValueError(f"expected {field.name} above 0, got {value}")


def _list(value: Any) -> list[Any]:
    """The numbers in sequences in sequences."""
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in _list(item)]
    return [value]


class Network(nn.Module):
    """A denoiser ``D(x; sigma, y)`` in PyTorch.

    Attributes:
        config: Its size.
        takes_mixture: Whether the mixture is an input.
        shares_sigma: Whether all stems have the same noise level.
        channels: Channels of a song that it hears together, neighbours in a batch.
        exports: Whether it can be exported to ONNX.
    """

    config: Any
    takes_mixture: bool
    shares_sigma: bool
    channels: int = 1
    exports: bool = True

    @abstractmethod
    def forward(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``."""

    def denoise(self, x: Tensor, sigma: Tensor, mixture: Tensor, given: Tensor) -> Tensor:
        """The same without None, for ONNX; networks that take the mixture have it.

        Args:
            x: Noisy stems, ``[B, S, T]``.
            sigma: Noise level of each stem, ``[B, S]``.
            mixture: The mixture, zeros where it is not given, ``[B, T]``.
            given: 1 where the mixture is given, 0 where it is not, ``[B]``.
        """
        raise NotImplementedError

    def list_inputs(self, multiples: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the inputs beside ``x`` and the mixture, without the batch.

        Args:
            multiples: Length of ``x``, in multiples of what the network takes.
        """
        del multiples
        return {"sigma": (self.config.stems,)}

    def prepare_export(self) -> None:
        """Replace layers that ONNX cannot express; by default there are none."""

    @abstractmethod
    def cast(self, dtype: torch.dtype) -> None:
        """Compute the learned part in another precision."""


@dataclass(frozen=True)
class Architecture:
    """A row of the table of architectures.

    Attributes:
        name: Name in specs.
        config: Class of its configs, a ``NetworkConfig``.
        build: Builds a network of a config. Weights that will be loaded may be left on the device
            ``meta``; buffers that are not in the file of weights may not.
    """

    name: str
    config: type[Any]
    build: Callable[[Any], Network]
