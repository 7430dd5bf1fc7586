"""Precision of a training."""

import pytest
import torch
from lightning_fabric import Fabric

from scripts.train.devices import PLACE, Mixed, Precision, UnknownPlaceError, check_place, launch


def test_half_precision_leaves_the_inputs_as_they_are():
    seen = []

    class Looking(torch.nn.Linear):
        def forward(self, x):
            computed = super().forward(x)
            seen.append((x.dtype, computed.dtype))
            return computed

    looking = Fabric(accelerator="cpu", plugins=Mixed("bf16-mixed", "cpu")).setup(Looking(2, 2))
    assert looking(torch.ones(1, 2)).dtype == torch.float32
    assert seen == [(torch.float32, torch.bfloat16)]


def test_only_half_precision_is_mixed():
    layer = torch.nn.Linear(2, 2)
    outputs = {}
    for precision in Precision:
        with launch("cpu", 1, precision).autocast():
            outputs[precision] = layer(torch.ones(1, 2)).dtype
    assert outputs == {Precision.single: torch.float32, Precision.bfloat16: torch.bfloat16}


def test_a_machine_of_several_knows_which_one_it_is(monkeypatch):
    for name in (*PLACE, "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    check_place(1)
    with pytest.raises(UnknownPlaceError, match="need MASTER_ADDR, MASTER_PORT, NODE_RANK"):
        check_place(2)
    with monkeypatch.context() as slurm:
        slurm.setenv("SLURM_JOB_ID", "7")
        check_place(2)
    for name in PLACE:
        monkeypatch.setenv(name, "1")
    check_place(2)
