"""The tables of names."""

import numpy as np
import pytest
from conftest import CPU, STEMS, make_tiny_model, tiny_network
from safetensors.torch import save_file

from msdm_cli.interface import Model
from scripts.bench import separation
from scripts.bench.identity import add_names, add_shares, add_songs, main, mean_shares
from scripts.bench.naming import Naming
from scripts.bench.report import Report


def make_window(as_is, crossed, guitar_in_piano):
    """A window whose guitar is partly in the estimated piano."""
    shares = np.eye(4)
    shares[2, 2:] = (1 - guitar_in_piano, guitar_in_piano)
    shares[0] = np.nan
    return Naming(as_is, crossed, 9.0, shares)


SONGS = {
    "right": [make_window(8.0, -3.0, 0.1), make_window(6.0, 1.0, 0.3)],
    "wrong": [make_window(-2.0, 7.0, 0.9)],
    "silent": [],
}


@pytest.fixture
def model(monkeypatch):
    tiny = make_tiny_model()
    model = Model(tiny.spec, tiny.denoisers, CPU)
    monkeypatch.setattr(separation, "load_model", lambda device: model)
    return model


def test_figures_are_means_over_windows():
    report = Report("x")
    add_names(report, SONGS)
    assert "3 windows of 4 s" in report.lines[2]
    assert "| as it is | 4.00 |" in report.lines
    assert "| if each window might swap the two names | 7.00 |" in report.lines
    assert "| guitar and piano taken as one stem | 9.00 |" in report.lines


def test_names_that_change_within_a_song_show_beside_those_that_are_wrong_in_all_of_it():
    changing = [make_window(8.0, -2.0, 0.1), make_window(-2.0, 6.0, 0.9)]
    report = Report("x")
    add_names(report, {"changing": changing, "wrong": SONGS["wrong"]})
    assert "| as it is | 1.33 |" in report.lines
    assert "| if each song might swap the two names | 4.33 |" in report.lines
    assert "| if each window might swap the two names | 7.00 |" in report.lines


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_songs_with_wrong_names_are_counted():
    report = Report("x")
    add_shares(report, SONGS, STEMS)
    assert "| guitar | 0.00 | 0.00 | 0.57 | 0.43 |" in report.lines
    assert "Songs whose guitar is called piano by more than four fifths: 1 of 2." in report.lines
    assert "Songs whose piano is called guitar by more than four fifths: 0 of 2." in report.lines


def test_a_song_has_a_line_if_both_sound():
    np.testing.assert_allclose(mean_shares(SONGS["right"], STEMS), [[0.8, 0.2], [0, 1]])
    report = Report("x")
    add_songs(report, SONGS, STEMS)
    assert report.lines[-2:] == [
        "| right | 7.00 | 7.00 | 0.80 | 0.20 | 0.00 | 1.00 |",
        "| wrong | -2.00 | 7.00 | 0.10 | 0.90 | 0.00 | 1.00 |",
    ]


@pytest.mark.usefixtures("model")
def test_the_command_writes_tables_and_takes_other_weights(songs, tmp_path):
    options = {"seconds": 5.0, "by_song": True, "limit": 1}
    main(songs / "validation", output=tmp_path / "a.md", **options)
    lines = (tmp_path / "a.md").read_text().splitlines()
    assert lines[0].startswith("Names in 5 s of each of 1 songs, separated at `fast`")
    assert lines[-1].startswith("| Track00000 |")
    save_file(tiny_network(seed=1).state_dict(), tmp_path / "other.safetensors")
    main(
        songs / "validation",
        weights=tmp_path / "other.safetensors",
        output=tmp_path / "b.md",
        **options,
    )
    assert (tmp_path / "b.md").read_text() != (tmp_path / "a.md").read_text()


@pytest.mark.usefixtures("model")
def test_chunks_may_have_another_length(songs, tmp_path):
    options = {"seconds": 5.0, "limit": 1}
    main(songs / "validation", output=tmp_path / "a.md", **options)
    main(songs / "validation", chunk_seconds=3.0, output=tmp_path / "b.md", **options)
    first, other = ((tmp_path / name).read_text() for name in ("a.md", "b.md"))
    assert "in chunks of 0.7 s" in first
    assert "in chunks of 3.0 s" in other
    assert other.splitlines()[1:] != first.splitlines()[1:]
