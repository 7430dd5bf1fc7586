"""Tables of SI-SDRi."""

import numpy as np
from conftest import make_tiny_model, music

from scripts.bench.report import Report
from scripts.bench.scores import add_scores, list_cells, list_columns, score
from scripts.bench.separation import Method


def test_a_method_that_knows_the_answer_is_better_than_one_that_does_nothing():
    spec = make_tiny_model().spec
    stems = np.concatenate([music(22050 * 6, seed=seed) for seed in range(4)])
    nothing = Method("mixture", 0, lambda truth: np.broadcast_to(truth.sum(0), truth.shape))
    everything = Method("truth", 1, lambda truth: truth)
    cells = list_cells(score(nothing, [stems], spec))
    assert cells[:6] == ["0.00"] * 6
    assert score(everything, [stems], spec).overall["active"] > 60
    report = Report("test")
    add_scores(report, [nothing, everything], [stems, stems], spec, first="what")
    assert report.lines[2].startswith("| what | calls | bass | drums | guitar | piano |")
    assert report.lines[2].count("|") == 3 + len(list_columns(spec))
    assert [line.split(" | ")[0] for line in report.lines[4:]] == ["| mixture", "| truth"]
