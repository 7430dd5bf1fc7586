import csv
from pathlib import Path

import pytest

from msdm_cli.audio.source import AudioProperties
from msdm_cli.cli.hints import find_hint
from msdm_cli.cli.outcome import Outcome
from msdm_cli.cli.song_table import COLUMNS, SongTable
from msdm_cli.errors import ResultsExist, UnwritableResults
from msdm_cli.jobs.result import JobResult

MADE = JobResult(
    files={},
    manifest=Path("stems/a/msdm.json"),
    properties=AudioProperties(100, 1, 1000, "PCM_16"),
    seed=7,
    calls=4,
)
FAILED = ResultsExist("b.wav: is there already", "remedy")


def read(path):
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def test_a_row_is_there_as_soon_as_its_song_has_ended(tmp_path):
    path = tmp_path / "new" / "songs.csv"
    with SongTable(path) as table:
        assert read(path) == []
        table.add(Outcome("a\n.wav", MADE, 2.5), "node-1")
        (row,) = read(path)
        assert row == {
            "song": "a\n.wav",
            "state": "done",
            "music_seconds": "10.0",
            "wall_seconds": "2.5",
            "speed": "4.0",
            "machine": "node-1",
            "seed": "7",
            "description": str(MADE.manifest),
            "error": "",
            "hint": "",
        }
        table.add(Outcome("b\udcff.wav", FAILED, 0.1, "a hint"), "")
    row = read(path)[1]
    assert (row["song"], row["state"]) == ("b\udcff.wav", "failed")
    assert (row["error"], row["hint"]) == (FAILED.message, "a hint")
    assert list(row) == list(COLUMNS)


def test_without_a_file_rows_go_nowhere():
    with SongTable(None) as table:
        table.add(Outcome("a.wav", MADE, 1.0), "")


def test_a_table_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableResults, match=r"songs\.csv: cannot be written"):
        SongTable(tmp_path / "file" / "songs.csv")


@pytest.mark.parametrize("name", ["song.flac", "list.txt", "scores.csv"])
def test_only_a_table_of_songs_is_replaced(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"what nobody wants to lose")
    with pytest.raises(ResultsExist, match="is no table of songs") as found:
        SongTable(path)
    assert "--csv" in find_hint(found.value)
    assert path.read_bytes() == b"what nobody wants to lose"
    path.write_bytes(b"")
    for _ in range(2):
        with SongTable(path) as table:
            table.add(Outcome("a.wav", MADE, 1.0), "")
        assert len(read(path)) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_ends_the_table_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("msdm_cli.cli.song_table.csv.DictWriter.writeheader", lambda writer: None)
    with SongTable(Path("/dev/full")) as table:
        for name in ("a.wav", "b.wav"):
            table.add(Outcome(name, MADE, 1.0), "")
    with pytest.raises(UnwritableResults, match=r"/dev/full: .*\(No space left") as found:
        table.check()
    assert find_hint(found.value) == "Make room on the disk, or choose another file with --csv."
