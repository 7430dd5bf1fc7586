import pytest

from msdm_cli.errors import UnwritableResults
from msdm_cli.evaluation.metrics.si_sdr import SiSdrRow
from msdm_cli.evaluation.plot import check_plot, plot_scores

ROWS = [
    SiSdrRow("one", "a", 0, "bass", True, 1.0, -3.0),
    SiSdrRow("one", "b", 0, "bass", True, 3.0, -3.0),
    SiSdrRow("two", "a", 0, "drums", False, 5.0, -3.0),
]


def test_a_plot_is_an_image(tmp_path):
    pytest.importorskip("matplotlib")
    plot_scores(ROWS, ("bass", "drums"), tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_has_the_picture_and_the_table(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "scores.html"
    check_plot(path)
    plot_scores(ROWS, ("bass", "drums"), path)
    text = path.read_text("utf-8")
    assert text.count("<svg") == 1
    assert "<td>bass</td><td>one</td><td>2</td><td>2.00</td>" in text


def test_a_plot_that_cannot_be_written_is_reported(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(UnwritableResults):
        plot_scores(ROWS, ("bass", "drums"), tmp_path / "missing" / "scores.png")


@pytest.mark.parametrize("name", ["scores.txt", "scores", "file/scores.png"])
def test_a_plot_that_cannot_be_is_refused_before_the_work(tmp_path, name):
    pytest.importorskip("matplotlib")
    check_plot(tmp_path / "new" / "scores.PNG")
    assert (tmp_path / "new").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableResults):
        check_plot(tmp_path / name)
