import math

import pytest

from msdm_cli.errors import UnwritableAudio
from msdm_cli.evaluation.plot import check_plot, plot_scores
from msdm_cli.evaluation.scores import Score, summarise

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


def test_a_stem_that_never_sounds_does_not_void_the_mean():
    (summary, _) = summarise(SCORES, ("bass", "drums", "kazoo"))
    assert math.isnan(summary.stems["kazoo"])
    assert summary.active == 3.0


def test_a_plot_is_an_image(tmp_path):
    pytest.importorskip("matplotlib")
    plot_scores(SCORES, ("bass", "drums"), tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["scores.txt", "scores", "file/scores.png"])
def test_a_plot_that_cannot_be_is_refused_before_the_work(tmp_path, name):
    pytest.importorskip("matplotlib")
    check_plot(tmp_path / "new" / "scores.PNG")
    assert (tmp_path / "new").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableAudio):
        check_plot(tmp_path / name)
