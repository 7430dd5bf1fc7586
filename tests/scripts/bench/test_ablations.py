"""The table of variants."""

import pytest
import torch
import typer

from scripts.bench import ablations


@pytest.fixture
def trained(monkeypatch):
    """What was asked to be trained, which comes to fixed figures."""
    asked = {}

    def train_all(variants, data, start, jobs):
        asked.update(variants)
        figures = {"step": 50, "minutes": 12.4, "songs": 9, "si_sdri": 5.25, "denoise_0.3": 0.5}
        return dict.fromkeys(variants, figures)

    monkeypatch.setattr(ablations, "train_all", train_all)
    return asked


def test_variants_share_the_schedule_and_differ_in_their_arguments(trained, tmp_path):
    torch.save({"step": 10}, tmp_path / "last.ckpt")
    log = tmp_path / "log.md"
    ablations.main(
        tmp_path,
        tmp_path / "runs",
        ["as it is=", "small batch=--batch 3"],
        steps=40,
        start=tmp_path / "last.ckpt",
        jobs=2,
        output=log,
    )
    common = ["--steps", "50", "--decay-steps", "20", "--validate-every", "50"]
    assert trained["as it is"].arguments == common
    assert trained["small batch"].arguments == [*common, "--batch", "3"]
    assert trained["small batch"].run == tmp_path / "runs" / "small-batch"
    lines = log.read_text().splitlines()
    assert lines[0] == "## 40 steps from step 10, 9 songs, 2 variants at a time"
    assert lines[4] == "| as it is |  | 40 | 12 | 5.250 |  |  |  |  |  | 0.500 |  |"
    assert lines[5].startswith("| small batch | `--batch 3` | 40 |")


def test_two_variants_of_one_folder_are_refused(tmp_path):
    with pytest.raises(typer.BadParameter, match="the same name"):
        ablations.main(tmp_path, tmp_path, ["a b=", "a-b=--batch 3"])
