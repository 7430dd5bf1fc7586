import math

import pytest

from msdm_cli.errors import UnsuitableAudio, UnwritableAudio
from msdm_cli.evaluation.scores import Score
from msdm_cli.evaluation.sdr import SongSdr
from msdm_cli.evaluation.tables import load_table, save_table

SCORES = [
    Score("one", "a, b", 0, "bass", True, 1.0, -3.0),
    Score("one", "a", 1, "drums", False, 50.0, -40.0),
]


def test_a_table_comes_back_as_it_was(tmp_path):
    path = tmp_path / "new" / "scores.csv"
    assert load_table(path, Score) == []
    save_table(path, Score, SCORES)
    assert load_table(path, Score) == SCORES
    assert [file.name for file in path.parent.iterdir()] == ["scores.csv"]


def test_what_is_not_a_number_comes_back(tmp_path):
    save_table(tmp_path / "sdr.csv", SongSdr, [SongSdr("one", "a", "bass", math.nan)])
    (found,) = load_table(tmp_path / "sdr.csv", SongSdr)
    assert math.isnan(found.sdr_db)


@pytest.mark.parametrize(
    "content", ["a,b\n1,2\n", "method,song,window,stem,active,si_sdri,leak_db\nx,y,z,,,,\n"]
)
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "scores.csv"
    path.write_text(content)
    with pytest.raises(UnsuitableAudio, match="not a table"):
        load_table(path, Score)


def test_a_table_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableAudio):
        save_table(tmp_path / "file" / "scores.csv", Score, SCORES)
