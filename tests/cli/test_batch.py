import csv
import errno
import json
import threading
import weakref
from pathlib import Path

import pytest
import typer
from conftest import BY_POST, WAIT_SECONDS, request_separation

from msdm_cli.cli import batch, outcome
from msdm_cli.cli.batch import ALL_THERE, check_batch, estimate_batch, run_batch
from msdm_cli.cli.beside import Beside
from msdm_cli.cli.display import Display
from msdm_cli.errors import ReplacesInput, ResultsExist, UnwritableResults
from msdm_cli.jobs import done, run


def make_requests(model, songs, folder):
    return {song.name: request_separation(model, song, folder) for song in songs}


@pytest.fixture
def songs(write_song):
    return [write_song(f"{name}.wav", 0.2, seed=seed) for seed, name in enumerate("abc")]


def test_jobs_that_would_write_the_same_files_are_refused(tiny_model, write_song, tmp_path):
    songs = [write_song("a/x.wav", 0.1), write_song("b/X.flac", 0.1)]
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(UnwritableResults, match=r"x\.wav and X\.flac would both be written to"):
        check_batch(requests, tiny_model.spec)


def test_inputs_of_other_jobs_are_not_replaced(tiny_model, write_song, tmp_path):
    songs = [write_song("a.wav", 0.1), write_song("out/a/drums.wav", 0.1)]
    requests = make_requests(tiny_model, songs, tmp_path / "out")
    with pytest.raises(ReplacesInput, match=r"drums\.wav: is an input"):
        check_batch(requests, tiny_model.spec)
    requests = make_requests(tiny_model, songs[:1], tmp_path / "out")
    check_batch(requests, tiny_model.spec)


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_are_shown_in_the_order_of_the_jobs(tiny_model, songs, tmp_path, capsys, jobs):
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    display = Display(quiet=True, as_json=True)
    run_batch("song", requests, lambda: tiny_model, beside=Beside(display), jobs=jobs)
    summary = json.loads(capsys.readouterr().out)
    assert [entry["song"] for entry in summary] == ["a.wav", "b.wav", "c.wav"]
    assert all(Path(entry["files"]["bass"]).is_file() for entry in summary)


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_job_that_fails_does_not_end_the_others(tiny_model, songs, tmp_path, capsys, jobs):
    songs[1].write_text("text")
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(typer.Exit) as ended:
        display = Display(quiet=True, as_json=True)
        run_batch("song", requests, lambda: tiny_model, beside=Beside(display), jobs=jobs)
    assert ended.value.exit_code == 1
    captured = capsys.readouterr()
    assert ["error" in entry for entry in json.loads(captured.out)] == [False, True, False]
    (event,) = map(json.loads, captured.err.splitlines())
    assert (event["event"], event["name"]) == ("error", "b.wav")


def test_an_error_does_not_hold_on_to_what_failed(tiny_model, songs, tmp_path, monkeypatch):
    class Samples:
        """What a failed job has in memory."""

    references = []

    def fail(request, model, progress):
        samples = Samples()
        references.append(weakref.ref(samples))
        raise ResultsExist("what", "remedy")

    monkeypatch.setattr(run, "run_job", fail)
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(typer.Exit):
        run_batch("song", requests, lambda: tiny_model, beside=Beside(Display(quiet=True)))
    assert [reference() for reference in references] == [None] * 3


def test_an_interrupt_ends_jobs_in_threads(tiny_model, songs, tmp_path, monkeypatch, capsys):
    other_waits = threading.Event()
    stopped = threading.Event()

    class StoppedDisplay(Display):
        def stop(self):
            super().stop()
            stopped.set()

    def run_job(request, model, progress):
        if request.track == "a":
            assert other_waits.wait(WAIT_SECONDS)
            raise KeyboardInterrupt
        other_waits.set()
        assert stopped.wait(WAIT_SECONDS)
        progress.advance()
        raise AssertionError("advance raises KeyboardInterrupt")

    monkeypatch.setattr(run, "run_job", run_job)
    requests = make_requests(tiny_model, songs[:2], tmp_path / "stems")
    with pytest.raises(KeyboardInterrupt):
        display = StoppedDisplay(quiet=False, farewell="good bye")
        run_batch("song", requests, lambda: tiny_model, beside=Beside(display), jobs=2)
    assert capsys.readouterr().err == "good bye\n"


def test_estimates_of_jobs_that_would_fail(tiny_model, songs, tmp_path, capsys):
    songs[0].unlink()
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(typer.Exit) as ended:
        estimate_batch(requests, tiny_model, Display(quiet=True, as_json=True))
    assert ended.value.exit_code == 1
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == ["b.wav", "c.wav"]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENAMETOOLONG, "File name too long"), MemoryError()]
)
def test_an_error_of_the_system_ends_one_song_with_two_lines(
    tiny_model, songs, tmp_path, capsys, monkeypatch, jobs, error
):
    run_job = run.run_job

    def fail_second(request, model, progress):
        if request.track == "b":
            raise error
        return run_job(request, model, progress)

    monkeypatch.setattr(run, "run_job", fail_second)
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(typer.Exit) as ended:
        run_batch(
            "song", requests, lambda: tiny_model, beside=Beside(Display(quiet=False)), jobs=jobs
        )
    assert ended.value.exit_code == 1
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if " of 3: " not in line]
    assert len(errors) == 2
    assert errors[0].startswith("error: ")
    assert errors[1].startswith("  ")
    assert captured.out.splitlines()[-1] == "2 done, 1 failed"


def test_the_summary_has_failures_last_and_errors_once(tiny_model, songs, tmp_path, capsys):
    songs[0].write_text("text")
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(typer.Exit):
        run_batch("song", requests, lambda: tiny_model, beside=Beside(Display(quiet=False)))
    captured = capsys.readouterr()
    *_, failed, end = captured.out.splitlines()
    assert failed.split("│")[:2] == [" a.wav ", " failed"] or "failed" in failed
    assert end == "2 done, 1 failed"
    assert (captured.out + captured.err).count("not a sound file") == 1
    said = [line for line in captured.err.splitlines() if " of 3: " in line]
    assert [line.split(",")[0] for line in said] == ["2 of 3: b.wav", "3 of 3: c.wav"]


def test_one_song_that_fails_has_no_table(tiny_model, songs, tmp_path, capsys):
    songs[0].write_text("text")
    requests = make_requests(tiny_model, songs[:1], tmp_path / "stems")
    with pytest.raises(typer.Exit):
        run_batch("song", requests, lambda: tiny_model, beside=Beside(Display(quiet=False)))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 2


def test_a_song_that_is_cut_off_is_separated_with_a_warning(tiny_model, songs, tmp_path, capsys):
    content = songs[0].read_bytes()
    songs[0].write_bytes(content[: len(content) // 3])
    requests = make_requests(tiny_model, songs[:1], tmp_path / "stems")
    run_batch("song", requests, lambda: tiny_model, beside=Beside(Display(quiet=False)))
    (warning,) = capsys.readouterr().err.splitlines()
    assert "a.wav: holds 0.1 s of the 0.2 s that its header states" in warning


def forbid_loading():
    raise AssertionError("the model is loaded")


@pytest.fixture
def registered(tiny_model, monkeypatch):
    """The tiny model is known by its name, as if it were registered."""
    monkeypatch.setattr(done, "describe_model", lambda name, runtime: tiny_model)


def test_a_batch_that_is_done_loads_no_model(
    tiny_model, songs, tmp_path, capsys, registered, monkeypatch
):
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    run_batch("song", requests, lambda: tiny_model, beside=Beside(Display(quiet=True)))
    run_batch("song", requests, forbid_loading, beside=Beside(Display(quiet=False)))
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == ALL_THERE
    assert captured.out.count("was there") == 3
    assert lines[-1] == "3 done"
    assert captured.err.splitlines() == [
        f"{number} of 3: {name}.wav, was there" for number, name in enumerate("abc", start=1)
    ]


def test_only_what_is_not_done_is_run(tiny_model, songs, tmp_path, capsys, registered):
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    some = {name: request for name, request in requests.items() if name != "b.wav"}
    run_batch("song", some, lambda: tiny_model, beside=Beside(Display(quiet=True)))
    loaded = []
    display = Display(quiet=True, as_json=True)
    run_batch("song", requests, lambda: loaded.append(1) or tiny_model, beside=Beside(display))
    summary = json.loads(capsys.readouterr().out)
    assert [(entry["song"], entry["skipped"]) for entry in summary] == [
        ("a.wav", True),
        ("b.wav", False),
        ("c.wav", True),
    ]
    assert loaded == [1]


def test_jobs_that_leave_this_process_load_no_model_here(
    tiny_model, songs, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(run, "find_result", lambda request: None)
    monkeypatch.setattr(run, "load", lambda name, runtime: tiny_model)
    run._load_once.cache_clear()
    songs[1].write_text("text")
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(typer.Exit):
        run_batch(
            "song",
            requests,
            forbid_loading,
            beside=Beside(Display(quiet=False, as_json=True)),
            executor=BY_POST,
        )
    run._load_once.cache_clear()
    captured = capsys.readouterr()
    assert ["error" in entry for entry in json.loads(captured.out)] == [False, True, False]
    events = [json.loads(line) for line in captured.err.splitlines()]
    assert [event["name"] for event in events if event["event"] == "error"] == ["b.wav"]
    progress = [event for event in events if event["event"] == "progress"]
    assert [(event["done"], event["total"]) for event in progress] == [(1, 3), (2, 3), (3, 3)]
    assert progress[-1]["music_seconds"] == pytest.approx(0.4)


def test_a_table_has_a_row_for_each_job(tiny_model, songs, tmp_path, registered):
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    table = tmp_path / "tables" / "songs.csv"
    beside = Beside(Display(quiet=True), table=table)
    first = {"a.wav": requests["a.wav"]}
    run_batch("song", first, lambda: tiny_model, beside=beside)
    songs[1].write_text("text")
    with pytest.raises(typer.Exit):
        run_batch("song", requests, lambda: tiny_model, beside=beside)
    with table.open(newline="") as file:
        rows = {row["song"]: row for row in csv.DictReader(file)}
    states = {name: row["state"] for name, row in rows.items()}
    assert states == {"a.wav": "was there", "b.wav": "failed", "c.wav": "done"}


def test_a_table_that_cannot_be_written_any_more_ends_no_job(
    tiny_model, songs, tmp_path, monkeypatch
):
    def fail(writer, row):
        if row["song"] != "song":  # the head
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(csv.DictWriter, "writerow", fail)
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    beside = Beside(Display(quiet=True), page=False, table=tmp_path / "songs.csv")
    with pytest.raises(UnwritableResults, match=r"songs\.csv: cannot be written"):
        run_batch("song", requests, lambda: tiny_model, beside=beside)
    assert len(list(tmp_path.glob("stems/*/msdm.json"))) == 3


def test_of_very_many_jobs_only_failures_are_kept(tiny_model, songs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(batch, "MOST_ROWS", 2)
    monkeypatch.setattr(outcome, "MOST_ROWS", 2)
    kept = []
    show = outcome.show_outcomes
    monkeypatch.setattr(
        batch, "show_outcomes", lambda *given: kept.extend(given[2]) or show(*given)
    )
    songs[1].write_text("text")
    requests = make_requests(tiny_model, songs, tmp_path / "stems")
    with pytest.raises(typer.Exit):
        run_batch("song", requests, lambda: tiny_model, beside=Beside(Display(quiet=False)))
    assert [one.name for one in kept] == ["b.wav"]
    assert capsys.readouterr().out.endswith("2 done, 1 failed\n")
