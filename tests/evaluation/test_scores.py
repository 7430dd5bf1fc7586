import pytest

from msdm_cli.errors import UnsuitableAudio
from msdm_cli.evaluation.plot import plot_scores
from msdm_cli.evaluation.scores import Score, load_scores, save_scores, summarise

SCORES = [
    Score("one", "a", 0, "bass", True, 1.0, -3.0),
    Score("one", "a", 0, "drums", False, 50.0, -40.0),
    Score("one", "b", 0, "bass", True, 3.0, -3.0),
    Score("one", "b", 0, "drums", True, 4.0, -3.0),
    Score("two", "a", 0, "bass", True, -1.0, -3.0),
    Score("two", "a", 0, "drums", True, 5.0, -3.0),
]


def test_means_are_over_windows_active_or_all():
    one, two = summarise(SCORES, ("bass", "drums"))
    assert (one.songs, two.songs) == (2, 1)
    assert one.stems == {"bass": 2.0, "drums": 4.0}
    assert one.active == 3.0
    assert one.official == pytest.approx(58 / 4)
    assert one.leak_db == -40.0
    assert two.leak_db is None


def test_a_table_comes_back_as_it_was(tmp_path):
    path = tmp_path / "new" / "scores.csv"
    assert load_scores(path) == []
    save_scores(path, SCORES)
    assert load_scores(path) == SCORES
    assert [file.name for file in path.parent.iterdir()] == ["scores.csv"]


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "method,song,window,stem,active,si_sdri,leak_db\nx,y,z,,,,\n"])
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "scores.csv"
    path.write_text(content)
    with pytest.raises(UnsuitableAudio, match="not a table"):
        load_scores(path)


def test_a_plot_is_an_image(tmp_path):
    pytest.importorskip("matplotlib")
    plot_scores(SCORES, ("bass", "drums"), tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")
