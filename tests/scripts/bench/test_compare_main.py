"""The comparison of two versions, on a program that copies a sound."""

import numpy as np
import pytest
import soundfile

from scripts.bench.compare.__main__ import Comparison, check_help, compare_samples
from scripts.bench.compare.cases import Case
from scripts.bench.compare.trees import Tree
from scripts.bench.report import Report

PROGRAM = """
import sys, time
from pathlib import Path
import numpy as np, soundfile
{imports}
def main():
    if "--help" in sys.argv:
        return
    samples, rate = soundfile.read(sys.argv[2])
    output = Path(sys.argv[sys.argv.index("-o") + 1])
    output.mkdir(parents=True, exist_ok=True)
    journal = output / "0.npy"
    if {wait} and not journal.exists():
        np.save(journal, samples)
        time.sleep(600)
    soundfile.write(output / "copy.wav", {gain} * samples, rate)
    journal.unlink(missing_ok=True)
main()
"""


def make_tree(folder, gain=1.0, imports="", wait=False):
    package = folder / "tree" / "msdm_cli"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(PROGRAM.format(gain=gain, imports=imports, wait=wait))
    return Tree(folder / "tree", folder / "work")


@pytest.fixture
def songs(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 1000), 22050)
    return {"song": path}


@pytest.fixture
def compare(tmp_path, songs):
    """Compares two versions in a case; the rows of the table, and the verdict."""
    old = make_tree(tmp_path / "old")

    def run(new, case, reasons=None):
        report = Report("test")
        good = compare_samples(report, Comparison(old, new, songs), [case], reasons or {})
        return report.lines[4:], good

    return run


def test_the_same_program_gives_the_same(compare, tmp_path):
    rows, good = compare(make_tree(tmp_path / "new"), Case("copy", "separate {song}"))
    assert rows == ["| copy | 1 | equal |"]
    assert good


def test_another_program_does_not_unless_there_is_a_reason(compare, tmp_path):
    new = make_tree(tmp_path / "new", gain=0.5)
    rows, good = compare(new, Case("copy", "separate {song}"))
    assert rows[0].startswith("| copy | 1 | copy.wav: up to 2.5e-01 of full scale |")
    assert not good
    rows, good = compare(new, Case("copy", "separate {song}"), {"separate": "half as loud"})
    assert rows[0].endswith("(half as loud) |")
    assert good


def test_what_was_killed_is_run_again(compare, tmp_path):
    new = make_tree(tmp_path / "new", wait=True)
    rows, good = compare(new, Case("resume", "separate {song}", killed=True))
    assert rows == ["| resume | 1 | equal |"]
    assert good


def test_a_failure_is_a_difference(compare, tmp_path):
    new = make_tree(tmp_path / "new", imports="raise SystemExit('no network')")
    rows, good = compare(new, Case("copy", "separate {song}"))
    assert rows[0].startswith("| copy | 0 | fails: ")
    assert "no network" in rows[0]
    assert not good
    assert not compare(new, Case("copy", "separate {song}"), {"separate": "a reason"})[1]


def test_help_must_not_import_torch(tmp_path):
    quick = make_tree(tmp_path / "quick")
    heavy = make_tree(tmp_path / "heavy", imports="import numba")
    assert "numba" in heavy.list_imports(["--help"])
    assert not check_help(Report("test"), heavy)
    assert "numba" not in quick.list_imports(["--help"])


def test_results_of_the_old_version_are_kept(compare, tmp_path):
    case = Case("copy", "separate {song}")
    compare(make_tree(tmp_path / "new"), case)
    kept = tmp_path / "old" / "work" / "results" / case.folder / "copy.wav"
    before = kept.stat().st_mtime_ns
    compare(Tree(tmp_path / "new" / "tree", tmp_path / "new" / "work"), case)
    assert kept.stat().st_mtime_ns == before
