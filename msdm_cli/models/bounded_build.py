"""Building a network that is no larger than its file of weights.

A config of a few bytes can ask for a billion layers, or for layers of a billion channels. What a
network asks memory for is counted while it is built, and building ends where the file has no
weights for it.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from msdm_cli.networks.architectures import build_network
from msdm_cli.networks.network import Network

LARGEST_NUMBER = 1 << 16
"""No size in a config comes near to it."""

FACTORIES = (
    torch.empty,
    torch.full,
    torch.hann_window,
    torch.ones,
    torch.rand,
    torch.randn,
    torch.zeros,
)
"""How layers get memory: functions of a shape."""

UNBUILDABLE = (LookupError, ArithmeticError, RuntimeError, TypeError, AssertionError)
"""What networks and PyTorch raise for sizes that do not go together."""

LONGEST_REASON = 200
SPARE_CALLS = 100
SPARE_NUMBERS = 1 << 20
"""What a network may take beside its weights, such as windows of transforms."""


class _Budget(TorchFunctionMode):
    """Refuses memory beyond that of tensors.

    Args:
        tensors: The tensors.
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        sizes = [tensor.numel() for tensor in tensors]
        self._calls = 2 * len(sizes) + SPARE_CALLS
        self._numbers = 2 * sum(sizes) + SPARE_NUMBERS

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in FACTORIES:
            shape = args[0] if args and isinstance(args[0], (tuple, list)) else args
            self._calls -= 1
            self._numbers -= math.prod(size for size in shape if isinstance(size, int))
            if self._calls < 0 or self._numbers < 0:
                raise ValueError("its config describes a larger network than its weights are of")
        return func(*args, **(kwargs or {}))


def build_bounded(
    architecture: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> Network:
    """A network without its weights, in single precision.

    PyTorch's random stream stays where it is: it is the caller's.

    Args:
        architecture: Name of the architecture.
        config: Fields of its config.
        tensors: The weights that it will be given.

    Raises:
        ValueError: There is no such architecture, no such config, or it takes more memory than the
            weights.
    """
    _check_numbers(config)
    try:
        with torch.random.fork_rng(devices=()), _Budget(tensors.values()):
            return build_network(architecture, config).float()
    except UNBUILDABLE as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        raise ValueError(f"expected a config of {architecture} ({reason})") from error


def _check_numbers(value: Any) -> None:
    """Refuse numbers that no network has."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _check_numbers(item)
    elif isinstance(value, int) and value > LARGEST_NUMBER:
        raise ValueError(f"expected numbers up to {LARGEST_NUMBER} in a config")
