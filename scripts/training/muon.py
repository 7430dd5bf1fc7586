"""Muon: an optimizer that gives every direction of a matrix a step of the same size.

The momentum of a matrix is replaced by the nearest semi-orthogonal one, so that directions of small gradients learn as
fast as those of large ones. ``torch.optim.Muon`` takes no convolutions, and computes in bfloat16, for which many CPUs
have no units.

Source: Keller Jordan, https://kellerjordan.github.io/posts/muon/ (the iteration and its coefficients); the factor that
makes a step as large as one of AdamW is that of arXiv 2502.16982, eq. 4.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5


class Muon(torch.optim.Optimizer):
    """Steps of Muon, for linear layers and two-dimensional convolutions.

    Args:
        parameters: Of two or more dimensions; those after the first are taken as one. Groups may have ``parts``: so
            many matrices lie in one, below each other, and each gets a step of its own.
        lr: Root mean square of a step is 0.2 times this, as it is of AdamW in practice.
        momentum: Of the (Nesterov's) moving average of gradients; 0.99 with the same rate was worse (5.78 dB after 400
            steps from trained weights, 6.26 with 0.95).
        weight_decay: As of AdamW.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "parts": 1}
        )

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take a step with the present gradients."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"]
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                matrices = (
                    parameter.grad.lerp(momentum, group["momentum"])
                    .flatten(1)
                    .chunk(group["parts"])
                )
                direction = torch.cat([orthogonal(matrix) for matrix in matrices])
                scale = 0.2 * max(matrices[0].shape) ** 0.5
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.sub_(direction.view(parameter.shape), alpha=group["lr"] * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with its singular values moved near 1 (those above a hundredth of its norm), ``[M, N] -> [M, N]``.

    The iteration ``X <- (a + b XX' + c (XX')^2) X`` runs on the small ``XX'`` alone; X is multiplied at the end, once.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    gram = x @ x.T
    identity = torch.eye(len(gram), device=gram.device)
    first, third, fifth = NEWTON_SCHULZ
    product = factor = torch.addmm(gram, gram, gram, beta=third, alpha=fifth).add_(
        identity, alpha=first
    )
    for _ in range(NEWTON_SCHULZ_STEPS - 1):
        gram = factor @ gram @ factor
        factor = torch.addmm(gram, gram, gram, beta=third, alpha=fifth).add_(identity, alpha=first)
        product = factor @ product
    x = product @ x
    return x.T if tall else x
