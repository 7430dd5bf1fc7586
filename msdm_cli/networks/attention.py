"""Attention of queries to keys."""

import torch
from torch import Tensor
from torch.nn import functional


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """The mean of the values, weighted by how queries match keys.

    Args:
        query: Queries.
        key: Keys.
        value: Values.
        bias: Added to the logits, if given.

    Shape:
        ``[N, heads, L, F] x 3, [1, heads, L, L] -> [N, heads, L, F]``
    """
    if not torch.is_grad_enabled():
        return functional.scaled_dot_product_attention(query, key, value, bias)
    # Written out: for sequences as short as ours, the backward pass of PyTorch's fused attention
    # takes four times as long in bfloat16 on a CPU.
    logits = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
    weights = (logits if bias is None else logits + bias).softmax(-1)
    return weights.to(value.dtype) @ value
