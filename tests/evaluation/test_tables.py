import dataclasses
import math

import pytest

from msdm_cli.errors import UnreadableTable, UnwritableResults
from msdm_cli.evaluation.metrics.sdr import SdrRow
from msdm_cli.evaluation.metrics.si_sdr import SI_SDR, SiSdrRow
from msdm_cli.evaluation.tables import ScoreTable, load_rows, save_rows

ROWS = [
    SiSdrRow("one", "a, b", 0, "bass", True, 1.0, -3.0),
    SiSdrRow("one", "a", 1, "drums", False, 1 / 3, -3.0),
]
COLUMNS = "method,song,window,stem,active,si_sdri,leak_db"


def test_a_table_comes_back_as_it_was(tmp_path):
    path = tmp_path / "new" / "scores.csv"
    assert load_rows(path, SiSdrRow) == []
    save_rows(path, SiSdrRow, ROWS)
    assert load_rows(path, SiSdrRow) == ROWS
    assert path.read_text().splitlines()[:2] == [COLUMNS, 'one,"a, b",0,bass,True,1.0,-3.0']
    assert [file.name for file in path.parent.iterdir()] == ["scores.csv"]


def test_what_is_not_a_number_comes_back(tmp_path):
    save_rows(tmp_path / "sdr.csv", SdrRow, [SdrRow("one", "a", "bass", math.nan)])
    (found,) = load_rows(tmp_path / "sdr.csv", SdrRow)
    assert math.isnan(found.sdr_db)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        f"{COLUMNS}\nx,y,z,,,,\n".encode(),
        f"{COLUMNS}\none,a,0,bass,maybe,1.0,-3.0\n".encode(),
        f"{COLUMNS}\none,a,0\n".encode(),
        f"{COLUMNS}\n{'x' * 200_000}\n".encode(),
        b"\xff\xfe",
    ],
    ids=["columns", "types", "truth", "short", "long", "encoding"],
)
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableTable, match="is not a table"):
        load_rows(path, SiSdrRow)


def test_a_table_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableResults):
        save_rows(tmp_path / "file" / "scores.csv", SiSdrRow, ROWS)


def test_scores_are_found_and_forgotten_by_song_and_method(tmp_path):
    table = ScoreTable(SI_SDR, tmp_path)
    table.rows += [*ROWS, dataclasses.replace(ROWS[1], method="two")]
    table.save()
    table = ScoreTable(SI_SDR, tmp_path)
    assert table.holds("a", "two")
    table.forget("a", "one")
    assert not table.holds("a", "one")
    left = [(row.song, row.method) for row in ScoreTable(SI_SDR, tmp_path).rows]
    assert left == [("a, b", "one"), ("a", "two")]


def test_scores_of_other_stems_are_refused(tmp_path):
    table = ScoreTable(SI_SDR, tmp_path)
    table.check_stems(("bass", "drums"))
    table.rows += [ROWS[0], dataclasses.replace(ROWS[0], stem="drums")]
    table.check_stems(("drums", "bass"))
    for stems in (("bass",), ("bass", "drums", "piano"), ("bass", "piano")):
        with pytest.raises(UnreadableTable, match=r"scores of a, b for the stems bass, drums, "):
            table.check_stems(stems)
