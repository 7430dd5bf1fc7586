"""The kinds of checkpoints, by what a file or a folder is."""

import pytest
import torch
from conftest import lightning_checkpoint
from small_demucs import STEMS, write_demucs

from msdm_cli.errors import UnreadableCheckpoint
from msdm_cli.models.kinds import KINDS, convert
from msdm_cli.models.spec import PAPER_STEMS


def test_a_checkpoint_of_the_paper_makes_a_joint_model(tmp_path):
    torch.save(lightning_checkpoint()[1], tmp_path / "a.ckpt")
    tensors, spec = convert("mine", [tmp_path / "a.ckpt"])
    assert spec.name == "mine"
    assert spec.stems == PAPER_STEMS
    assert spec.stage.architecture == "unet1d"
    assert tensors


def test_a_checkpoint_of_demucs_makes_a_separator(tmp_path):
    write_demucs(tmp_path / "a.th")
    _, spec = convert("mine", [tmp_path / "a.th"])
    assert spec.stems == STEMS
    assert spec.stage.architecture == "demucs"


def test_weights_that_are_not_finite_are_refused(tmp_path):
    _, checkpoint = lightning_checkpoint()
    next(iter(checkpoint["state_dict"].values())).fill_(float("nan"))
    torch.save(checkpoint, tmp_path / "a.ckpt")
    with pytest.raises(UnreadableCheckpoint, match="is not finite"):
        convert("mine", [tmp_path / "a.ckpt"])


def test_any_path_is_of_some_kind(tmp_path):
    for name in ("a.th", "a.safetensors", "a.ckpt", "a"):
        assert any(kind.matches(tmp_path / name) for kind in KINDS)
