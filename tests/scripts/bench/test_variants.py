"""Training runs that are compared, with a trainer that writes what it is told."""

import json
import sys

import pytest

from scripts.bench import variants
from scripts.bench.variants import TrainingFailedError, Variant, schedule, train_all

TRAINER = """
import json, sys
from pathlib import Path
data, run, figure = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
if figure < 0:
    sys.exit("diverged")
log = run / "log.jsonl"
lines = [{"event": "started", "hours": 0.5, "songs": 3}]
lines += [{"step": 7, "hours": 1.0, "denoise_1.0": figure}]
log.write_text("".join(json.dumps(line) + chr(10) for line in lines))
"""


@pytest.fixture(autouse=True)
def trainer(tmp_path, monkeypatch):
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    monkeypatch.setattr(variants, "TRAINER", [sys.executable, str(script)])


def test_figures_are_those_of_the_last_validation(tmp_path):
    found = train_all(
        {name: Variant(tmp_path / name, [value]) for name, value in (("a", "0.5"), ("b", "0.25"))},
        tmp_path,
        None,
        jobs=2,
    )
    assert {name: figures["denoise_1.0"] for name, figures in found.items()} == {
        "a": 0.5,
        "b": 0.25,
    }
    assert found["a"]["minutes"] == 30
    assert found["a"]["songs"] == 3
    assert json.loads((tmp_path / "a" / "asked.json").read_text())["arguments"] == ["0.5"]


def test_a_run_begins_with_a_copy_of_its_start(tmp_path):
    (tmp_path / "start.ckpt").write_text("weights")
    Variant(tmp_path / "run", ["1"]).train(tmp_path, tmp_path / "start.ckpt")
    assert (tmp_path / "run" / "last.ckpt").read_text() == "weights"


def test_the_folder_of_another_run_is_refused(tmp_path):
    Variant(tmp_path / "run", ["1"]).train(tmp_path, None)
    with pytest.raises(TrainingFailedError, match="other arguments"):
        Variant(tmp_path / "run", ["2"]).train(tmp_path, None)


def test_a_failure_says_where_its_output_is(tmp_path):
    with pytest.raises(TrainingFailedError, match=r"failed, see output\.txt"):
        Variant(tmp_path / "run", ["-1"]).train(tmp_path, None)
    assert "diverged" in (tmp_path / "run" / "output.txt").read_text()


def test_a_schedule_ends_with_its_only_validation():
    assert schedule(100, first=50) == [
        "--steps",
        "150",
        "--decay-steps",
        "50",
        "--validate-every",
        "150",
    ]
