"""Muon: an optimizer that gives every direction of a matrix a step of the same size.

The momentum of a matrix is replaced by the nearest semi-orthogonal one, so that directions of small
gradients learn as fast as those of large ones. ``torch.optim.Muon`` takes no convolutions, and
computes in bfloat16, for which many CPUs have no units.

Source: Keller Jordan, https://kellerjordan.github.io/posts/muon/ (the iteration, its coefficients).
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
RMS_OF_ADAMW = 0.2
"""Root mean square of a step of AdamW in units of its learning rate, as it is in practice."""


class Muon(torch.optim.Optimizer):
    """Steps of Muon, for linear layers and two-dimensional convolutions.

    Args:
        parameters: Of two or more dimensions; those after the first are taken as one. Groups may
            have ``parts``: so many matrices lie in one, below each other, and each gets a step of
            its own.
        lr: Learning rate: a step has 0.2 times this as its root mean square.
        momentum: Of the (Nesterov's) moving average of gradients.
        weight_decay: As of AdamW.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "parts": 1}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take a step with the present gradients."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group)

    def _move(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"]
        momentum.lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(momentum, group["momentum"])
        matrices = ahead.flatten(1).chunk(group["parts"])
        direction = torch.cat([orthogonal(matrix) for matrix in matrices])
        # A semi-orthogonal matrix has the root mean square max(M, N) ** -0.5.
        # Source: arXiv 2502.16982, eq. 4.
        scale = RMS_OF_ADAMW * max(matrices[0].shape) ** 0.5
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.sub_(direction.view(parameter.shape), alpha=group["lr"] * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with its singular values moved near 1 (those above a hundredth of its norm).

    Shape:
        ``[M, N] -> [M, N]``
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    # The iteration X <- (a + b XX' + c (XX')^2) X runs on the small XX' alone;
    # X is multiplied at the end, once.
    gram = x @ x.T
    product = _factor(gram)
    factor = product
    for _ in range(NEWTON_SCHULZ_STEPS - 1):
        gram = factor @ gram @ factor
        factor = _factor(gram)
        product = factor @ product
    x = product @ x
    return x.T if tall else x


def _factor(gram: Tensor) -> Tensor:
    """``a + b G + c G^2``."""
    first, third, fifth = NEWTON_SCHULZ
    identity = torch.eye(len(gram), device=gram.device)
    return torch.addmm(gram, gram, gram, beta=third, alpha=fifth).add_(identity, alpha=first)
