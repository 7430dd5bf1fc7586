import sys
from pathlib import Path

import pytest
import typer
from run_msdm import msdm

from msdm_cli.cli.places import find_folder, find_output


def test_results_go_to_a_folder_or_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (None, Path("stems"), Path("s3://bucket"), Path("s3://bucket/stems")):
        assert find_folder(path) == find_output(path) == path
    assert find_output(Path("-")) == Path("-")
    with pytest.raises(typer.BadParameter, match="- is the standard output: name a folder"):
        find_folder(Path("-"))
    with pytest.raises(typer.BadParameter, match="s3:// has no folder"):
        find_output(Path("s3://"))


@pytest.mark.skipif(sys.platform == "win32", reason="a colon is no part of a name there")
def test_a_folder_of_this_machine_may_look_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "live:").mkdir()
    assert find_folder(Path("live:")) == tmp_path / "live:"
    assert find_folder(Path("live:/stems")) == tmp_path / "live:" / "stems"


def test_a_folder_called_like_the_standard_output_is_not_made():
    for command in (("generate",), ("impute", "--given", "bass.wav"), ("rerun", "msdm.json")):
        msdm(*command, "-o", "-").assert_two_lines("- is the standard output", returncode=2)
