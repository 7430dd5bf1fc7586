"""``msdm evaluate``: its tables, its summaries, and what it refuses."""

import csv
import json

import pytest
import soundfile
from conftest import STEMS, music
from level_metric import LEVEL
from small_demucs import STEMS as SEPARATED
from small_demucs import write_demucs
from typer.testing import CliRunner

from msdm_cli.cli.app import app
from msdm_cli.evaluation.metrics import METRICS
from msdm_cli.models.adopt import adopt_checkpoints

METHODS = ["estimates", "ideal binary mask", "ideal ratio mask"]


def evaluate(*arguments):
    runner = CliRunner(env={"COLUMNS": "200"})
    return runner.invoke(app, ["evaluate", *map(str, arguments)], catch_exceptions=False)


def read_table(text):
    """The lines of a table as lists of cells, from its heads on."""
    lines = [line for line in text.splitlines() if any(border in line for border in "┃╇│")]
    return [[cell.strip() for cell in line.replace("┃", "│").split("│")] for line in lines]


def write_stems(folder, stems=STEMS, scale=1.0, seconds=3):
    folder.mkdir(parents=True)
    for index, stem in enumerate(stems):
        samples = scale * music(seconds * 22050, 1, 22050, seed=index)
        soundfile.write(folder / f"{stem}.wav", samples.T, 22050, "FLOAT")


@pytest.fixture
def references(tmp_path):
    write_stems(tmp_path / "references" / "Track00001")
    (tmp_path / "references" / "Track00002").mkdir()
    return tmp_path / "references"


@pytest.fixture
def estimates(tmp_path):
    write_stems(tmp_path / "estimates" / "Track00001", scale=0.5)
    return tmp_path / "estimates"


def test_a_metric_is_one_file_and_one_row(references, estimates, monkeypatch):
    monkeypatch.setitem(METRICS, LEVEL.name, LEVEL)
    result = evaluate(references, estimates, "--metric", "level")
    assert result.exit_code == 0, result.output
    heads, _, first, *_ = read_table(result.stdout)
    assert heads == ["method", "songs", *STEMS, "loudest stem"]
    # Half the amplitude is 20 log10(0.5) = -6.02 dB.
    assert first == ["estimates", "1", *["-6.02"] * 4, "-6.0"]
    title = "".join(result.stdout.splitlines())
    assert title.startswith("Level of the estimates in dB")
    assert str(estimates / "level.csv") in title
    with (estimates / "level.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == [name for name in METHODS for _ in STEMS]
    assert [float(row["level_db"]) for row in rows[:4]] == pytest.approx([-6.0206] * 4, abs=1e-4)
    assert not (estimates / "scores.csv").exists()


def test_an_unknown_metric_is_refused_with_the_known_ones(references, estimates):
    result = evaluate(references, estimates, "--metric", "loudness")
    assert result.exit_code == 2
    assert "loudness is none of si-sdr, sdr" in result.stderr


def test_a_seed_of_more_than_64_bits_is_refused(references, estimates):
    result = evaluate(references, estimates, "--separate", "embedded", "--seed", 10**23)
    assert result.exit_code == 2
    assert "is larger than" in result.stderr


def test_several_metrics_have_a_table_each(references, estimates, museval):
    metrics = ("--metric", "sdr,si-sdr")
    stems = ("--stems", "bass", "--stems", "drums")  # museval takes much longer for four
    result = evaluate(references, estimates, *metrics, *stems, "--json")
    assert result.exit_code == 0, result.output
    summaries = json.loads(result.stdout)
    assert [(summary["metric"], summary["method"]) for summary in summaries] == [
        (metric, method) for metric in ("sdr", "si-sdr") for method in METHODS
    ]
    assert [list(summary["stems"]) for summary in summaries] == [["bass", "drums"]] * 6
    assert set(summaries[3]) == {
        *("metric", "method", "songs", "stems"),
        *("active", "official", "leak_db"),
    }
    assert (estimates / "sdr.csv").exists()
    assert (estimates / "scores.csv").exists()


def test_a_figure_without_scores_is_a_dash_and_null(references, estimates):
    # No stem of the song is silent, and so nothing leaks.
    first = read_table(evaluate(references, estimates).stdout)[2]
    assert (first[0], first[-1]) == ("estimates", "-")
    (summary, *_) = json.loads(evaluate(references, estimates, "--json").stdout)
    assert summary["leak_db"] is None


def test_a_song_without_a_score_is_named(references, estimates):
    write_stems(references / "Alone", ("bass",))
    write_stems(estimates / "Alone")
    result = evaluate(references, estimates)
    assert result.exit_code == 0, result.output
    assert "Alone: has no SI-SDRi, because no two of its stems sound at once" in result.stderr
    assert "Track00001: has no" not in result.stderr


def test_tables_go_to_another_folder(references, estimates, tmp_path):
    assert evaluate(references, estimates, "--tables", tmp_path / "scores").exit_code == 0
    assert [path.name for path in (tmp_path / "scores").iterdir()] == ["scores.csv"]
    assert not (estimates / "scores.csv").exists()


def test_stems_of_other_names_are_scored(tmp_path):
    for folder in ("references", "estimates"):
        write_stems(tmp_path / folder / "song", ("vocals", "rest"))
    stems = ("--stems", "vocals", "--stems", "rest")
    result = evaluate(tmp_path / "references", tmp_path / "estimates", *stems, "--json")
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout)[0]["stems"]) == ["vocals", "rest"]


def test_only_stems_of_the_model_are_scored(references, estimates):
    result = evaluate(references, estimates, "--separate", "embedded", "--stems", "bass,voice")
    assert result.exit_code == 2
    assert "voice is no stem of the model embedded" in result.stderr


def test_all_stems_that_a_song_has_are_scored(references, tmp_path):
    arguments = ("--separate", "embedded", "--stems", "bass,drums")
    result = evaluate(references, tmp_path / "estimates", *arguments)
    assert result.exit_code == 1
    assert "has guitar, piano, too" in result.stderr
    assert not (tmp_path / "estimates").exists()


@pytest.mark.parametrize("sampler", ["default", "gibbs"])
def test_a_separator_of_more_stems_is_scored_by_those_of_the_songs(tmp_path, monkeypatch, sampler):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    write_demucs(tmp_path / "a.th")
    adopt_checkpoints("others", [tmp_path / "a.th"], "for a test", "none")
    write_stems(tmp_path / "references" / "song", ("bass", "drums"))
    arguments = ("--separate", "others", "--stems", "bass,drums", "--json", "-q")
    chosen = () if sampler == "default" else ("--sampler", sampler, "--steps", 2)
    result = evaluate(tmp_path / "references", tmp_path / "estimates", *arguments, *chosen)
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout)[0]["stems"]) == ["bass", "drums"]
    made = {path.stem for path in (tmp_path / "estimates" / "song").glob("*.wav")}
    assert made == set(SEPARATED)


def test_a_plot_needs_the_scores_that_it_draws(references, estimates, tmp_path):
    result = evaluate(references, estimates, "--metric", "sdr", "--plot", tmp_path / "plot.png")
    assert result.exit_code == 2
    assert "add --metric si-sdr" in result.stderr


def test_a_plot_is_drawn(references, estimates, tmp_path):
    pytest.importorskip("matplotlib")
    assert evaluate(references, estimates, "--plot", tmp_path / "plot.png").exit_code == 0
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_has_the_other_metrics_too(references, estimates, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setitem(METRICS, "level", LEVEL)
    plot = ("--plot", tmp_path / "scores.html")
    assert evaluate(references, estimates, "--metric", "si-sdr,level", *plot).exit_code == 0
    assert f"<h2>{LEVEL.title} in {LEVEL.unit}</h2>" in plot[1].read_text("utf-8")


def test_a_song_that_fails_does_not_end_the_rest(references, estimates):
    write_stems(references / "Track00000")
    result = evaluate(references, estimates, "--json")
    assert result.exit_code == 1
    assert [(summary["method"], summary["songs"]) for summary in json.loads(result.stdout)] == [
        (method, 1) for method in METHODS
    ]
    (error,) = (
        event
        for line in result.stderr.splitlines()
        if (event := json.loads(line))["event"] == "error"
    )
    assert error["name"] == "Track00000"
    assert "has no stem bass, drums, guitar, piano" in error["message"]
    assert "--separate MODEL" in error["hint"]


def test_separate_makes_estimates_once(references, tmp_path):
    arguments = (references, tmp_path / "estimates", "--separate", "embedded", "--quality", "fast")
    first = evaluate(*arguments, "--json")
    assert first.exit_code == 0, first.output
    folder = tmp_path / "estimates" / "Track00001"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*(f"{stem}.wav" for stem in STEMS), "msdm.json"]
    )
    assert soundfile.info(folder / "bass.wav").subtype == "FLOAT"
    assert evaluate(*arguments[:2], "--json").stdout == first.stdout
    other = evaluate(*arguments[:4])
    assert other.exit_code == 1
    assert "other settings" in other.stderr


def test_only_the_songs_that_are_asked_for_are_summed_up(references, estimates):
    """The tables may hold others, and scores of files that were changed since."""
    write_stems(references / "Track00003")
    write_stems(estimates / "Track00003", scale=0.5)
    first = evaluate(references, estimates)
    assert "scored before" not in first.output
    again = evaluate(references, estimates, "--limit", "1", "--json")
    assert {entry["songs"] for entry in json.loads(again.stdout)} == {1}
    shown = evaluate(references, estimates)
    told = "".join(shown.stderr.splitlines())
    assert "scored before, and not again: 2 of 2 songs" in told
    assert str(estimates / "scores.csv") in told
