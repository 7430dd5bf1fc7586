"""What ships: a run's weights, or a mean of these and of those before."""

import pytest
import torch
import typer
from ship import mean_weights


def test_a_mean_of_weights_is_weighted_and_of_one_network():
    new, old = {"weight": torch.tensor([1.0, 2.0])}, {"weight": torch.tensor([3.0, 6.0], dtype=torch.float16)}
    mean = mean_weights(new, old, 0.25)["weight"]
    assert mean.dtype == torch.float32
    assert mean.tolist() == [1.5, 3.0]
    with pytest.raises(typer.BadParameter, match="another network"):
        mean_weights(new, {"weight": torch.zeros(3)}, 0.25)
