import dataclasses
import sys

import pytest

from msdm_cli.errors import MissingPackage
from msdm_cli.evaluation.metrics import METRICS


def test_each_row_of_the_table_has_the_name_of_its_metric():
    assert {name: metric.name for name, metric in METRICS.items()} == {
        "si-sdr": "si-sdr",
        "sdr": "sdr",
        "fad": "fad",
        "mapss": "mapss",
    }


def test_no_two_metrics_share_a_file():
    names = [metric.table_name for metric in METRICS.values()]
    assert names == ["scores.csv", "sdr.csv", "fad.csv", "mapss.csv"]


@pytest.mark.parametrize("name", METRICS)
def test_the_rows_of_a_table_say_what_was_scored(name):
    fields = [field.name for field in dataclasses.fields(METRICS[name].row)]
    assert fields[:2] == ["method", "song"]


@pytest.mark.parametrize("failure", [ImportError("no such module"), RuntimeError("no ffmpeg")])
def test_a_package_that_is_missing_or_broken_is_reported(tmp_path, monkeypatch, failure):
    (tmp_path / "museval.py").write_text(f"raise {failure!r}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "museval", raising=False)
    with pytest.raises(MissingPackage, match=f"needs museval .{failure}") as raised:
        METRICS["sdr"].check()
    assert "pip install museval" in raised.value.remedy


def test_a_metric_without_a_package_can_be_computed():
    METRICS["si-sdr"].check()
