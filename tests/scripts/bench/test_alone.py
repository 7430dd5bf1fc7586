"""What becomes of a guitar in a song without a piano."""

import numpy as np
import pytest
from conftest import CPU, make_tiny_model, tiny_network
from safetensors.torch import save_file

from msdm_cli.interface import Model
from scripts.bench import separation
from scripts.bench.alone import Lone, add_stem, main, score_lone
from scripts.bench.report import Report

RATE_HZ = 1000


@pytest.fixture
def stems():
    """10 s of noise on bass and guitar; drums and piano are silent, the guitar from 6 s on."""
    noise = np.random.default_rng(0).standard_normal((4, 10 * RATE_HZ)).astype(np.float32)
    noise[[1, 3]] = 0
    noise[2, 6 * RATE_HZ :] = 0
    return 0.1 * noise


def test_windows_in_which_it_sounds_beside_others_count(stems):
    # Windows begin at 0, 2, 4 and 6 s.
    assert len(score_lone(stems, stems, stems, 2, 3, RATE_HZ)) == 3
    stems[0] = 0
    assert score_lone(stems, stems, stems, 2, 3, RATE_HZ) == []


def test_a_guitar_that_is_called_a_piano_shows(stems):
    noise = np.random.default_rng(1).standard_normal(stems.shape).astype(np.float32)
    right = stems + 0.001 * noise
    swapped = right[[0, 1, 3, 2]]
    named = score_lone(right, swapped, stems, 2, 3, RATE_HZ)[0]
    wrong = score_lone(swapped, right, stems, 2, 3, RATE_HZ)[0]
    assert named.as_is == pytest.approx(wrong.crossed)
    assert named.as_is > 30
    assert wrong.as_is < 0
    assert named.together == pytest.approx(wrong.together)
    assert named.together > 30
    assert (named.told, wrong.told) == (pytest.approx(wrong.as_is), pytest.approx(named.as_is))
    assert named.level_db == pytest.approx(-40, abs=0.5)
    assert wrong.level_db == pytest.approx(0, abs=0.1)


def test_a_song_that_might_swap_does_so_as_a_whole():
    report = Report("x")
    first = [Lone(8.0, -2.0, 7.0, -30.0, 9.0), Lone(-1.0, 3.0, 5.0, 0.0, 4.0)]
    songs = [first, [Lone(-4.0, 5.0, 6.0, 1.0, 2.0)]]
    add_stem(report, "guitar", "piano", songs)
    assert report.lines[-1] == "| guitar, no piano | 1.00 | 4.00 | 6.00 | 5.00 | 1 of 2 | 0.0 |"


def test_the_command_writes_a_table_and_takes_other_weights(songs, tmp_path, monkeypatch):
    tiny = make_tiny_model()
    model = Model(tiny.spec, tiny.denoisers, CPU)
    monkeypatch.setattr(separation, "load_model", lambda device: model)
    save_file(tiny_network(seed=1).state_dict(), tmp_path / "other.safetensors")
    for name, weights in (("a", None), ("b", tmp_path / "other.safetensors")):
        output = tmp_path / f"{name}.md"
        main(songs / "validation", weights=weights, seconds=5.0, limit=1, output=output)
    lines = (tmp_path / "a.md").read_text().splitlines()
    assert lines[0].startswith("5 s of each of 1 songs")
    assert [line.split(" |")[0] for line in lines[-2:]] == [
        "| guitar, no piano",
        "| piano, no guitar",
    ]
    assert (tmp_path / "b.md").read_text() != (tmp_path / "a.md").read_text()
