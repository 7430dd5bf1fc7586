"""``msdm doctor``."""

import json

from run_msdm import msdm


def test_it_shows_what_works_and_how_fast():
    report = json.loads(msdm("doctor", "--json", "--device", "cpu").stdout)
    findings = {finding["subject"]: finding for finding in report["findings"]}
    expected = {"msdm", "ONNX Runtime", "cpu (torch)", "cpu (onnx)", "model embedded", "cache"}
    assert expected <= findings.keys()
    assert findings["cpu (onnx)"]["description"] == "works"
    tasks = {(pace["task"], pace["quality"]): pace for pace in report["paces"]}
    assert len(tasks) == 9
    paces = {key: pace["times_real_time"] for key, pace in tasks.items()}
    # One call of a network is measured: 4 of them take 4 times as long.
    assert round(paces["separate", "fast"] / paces["separate", "best"], 6) == 4
    # The sound of a sketch takes as long at each quality.
    assert 1 < paces["generate", "fast"] / paces["generate", "best"] < 4
    assert report["runtime"]["device"] == "cpu"


def test_findings_are_shown_even_if_the_device_is_missing():
    result = msdm("doctor", "--device", "cuda:77")
    assert result.returncode == 1
    assert "ONNX Runtime" in result.stdout
    assert "the device cuda:77 is not available" in result.stderr


def test_an_unknown_model_is_wrong_usage():
    result = msdm("doctor", "--model", "nonsense", "--device", "cpu")
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == "error: no model is called nonsense"
