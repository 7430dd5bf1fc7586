"""Songs of the composer's own."""

from random import Random

import numpy as np
import pytest

from scripts.dataset import piano
from scripts.dataset.chart import STEPS_PER_BAR
from scripts.dataset.composer import LINES, PEDALLED, PLAYERS, compose, write_part
from scripts.dataset.drums import GROOVES
from scripts.dataset.guitar import RINGING, strum
from scripts.dataset.part_writer import PartWriter
from scripts.dataset.score import STEMS
from scripts.dataset.styles import STYLES

COMPASSES = {"bass": (20, 70), "guitar": (35, 100), "piano": (20, 115), "drums": (30, 90)}


@pytest.mark.parametrize("seed", range(8))
def test_a_song_is_a_function_of_its_seed_and_playable(seed):
    song = compose(f"{seed}").song
    assert song == compose(f"{seed}").song
    assert set(song.parts) == set(STEMS)
    assert any(part.notes for part in song.parts.values())
    assert 50 <= song.duration_seconds <= 155
    for stem, part in song.parts.items():
        low, high = COMPASSES[stem]
        for note in part.notes:
            assert 0 < note.start_seconds < song.duration_seconds
            assert note.duration_seconds > 0
            assert low <= note.pitch <= high
            assert 1 <= note.velocity <= 127


def test_a_part_avoids_kinds_even_if_they_are_all_favourites(composed):
    favourites = composed.style.guitar.split()
    for avoided in (favourites[:1], [*favourites, "lead"]):
        for seed in range(5):
            arguments = (composed.chart, composed.style, "guitar", f"{seed}")
            kinds = write_part(*arguments, avoided=avoided).kinds
            assert kinds
            assert not set(kinds) & set(avoided)
            assert set(kinds) <= PLAYERS["guitar"].keys()


def test_a_guitar_plays_what_pianos_play(composed):
    part = write_part(composed.chart, composed.style, "guitar", "x", "piano")
    assert part.notes
    assert set(part.kinds) <= {*composed.style.piano.split(), *LINES["piano"]}
    for note in part.notes[:-20]:
        assert "guitar" in composed.chart.section_at(note.start_seconds).playing


@pytest.mark.parametrize("name", STYLES)
def test_a_style_names_kinds_and_grooves_that_exist(name):
    style = STYLES[name]
    assert style.meter in STEPS_PER_BAR
    assert style.groove in GROOVES
    for stem, kinds in PLAYERS.items():
        assert set(getattr(style, stem).split()) <= kinds.keys()


@pytest.mark.parametrize("groove", GROOVES)
def test_lines_of_a_groove_have_one_length(groove):
    steps = 12 if groove in ("waltz", "sixeight") else 16
    for lines in GROOVES[groove]:
        assert {len(line) for line in lines} == {steps}
        assert set("".join(lines)) <= set("Xxog.")


def test_half_of_the_guitarists_strum_their_strings_in_order():
    chart = compose("2").chart
    strummed = 0
    for seed in range(60):
        writer = PartWriter(chart, Random(seed))
        strum(writer, 1, Random(seed))
        first = min(note.start_seconds for note in writer.part.notes)
        stroke = [note for note in writer.part.notes if note.start_seconds < first + 0.07]
        starts = [note.start_seconds for note in stroke]
        if writer.strums:
            assert starts == sorted(starts)
            assert starts[1] - starts[0] > 0.0039
        strummed += writer.strums
    assert 20 < strummed < 40


def test_the_notes_of_a_chord_begin_together_unless_a_player_rolls_them():
    chart = compose("2").chart
    spreads = []
    for seed in range(60):
        writer = PartWriter(chart, Random(seed))
        writer.add_chord(1, 0, 4, [40, 52, 56, 59], 90)
        starts = [note.start_seconds for note in writer.part.notes]
        spreads.append(max(starts) - min(starts))
        assert spreads[-1] < 0.014 or starts == sorted(starts)
    assert 0.3 < np.mean(np.array(spreads) == 0) < 0.6
    assert 0.05 < np.mean(np.array(spreads) > 0.014) < 0.3


def test_half_of_the_pianists_leave_the_low_notes_to_the_bass():
    chart = compose("2").chart
    both = 0
    for seed in range(60):
        writer = PartWriter(chart, Random(seed))
        for kind in ("block", "octaves", "stride", "arpeggio", "melody", "pad"):
            PLAYERS["piano"][kind](writer, 1, Random(seed))
        low = any(note.pitch < 46 for note in writer.part.notes)
        assert low == writer.plays_low
        both += low
    assert 20 < both < 40


@pytest.mark.parametrize(("stem", "ringing"), [("piano", piano.PEDALLED), ("guitar", RINGING)])
def test_some_players_let_chords_ring(composed, stem, ringing):
    others = PLAYERS[stem].keys() - ringing
    pedalled = 0
    for seed in range(60):
        part = write_part(composed.chart, composed.style, stem, f"{seed}", avoided=others)
        assert set(part.kinds) <= ringing
        assert part.pedals == sorted(part.pedals)
        assert not part.pedals or not part.pedals[-1][1]
        pedalled += bool(part.pedals)
    assert pedalled == pytest.approx(60 * PEDALLED[stem], abs=10)


def test_other_guitars_have_no_pedal(composed):
    for seed in range(10):
        arguments = (composed.chart, composed.style, "guitar", f"{seed}")
        assert not write_part(*arguments, avoided=RINGING).pedals


@pytest.mark.parametrize("stem", LINES)
def test_some_guitars_and_pianos_play_lines_alone(composed, stem):
    parts = [write_part(composed.chart, composed.style, stem, f"{seed}") for seed in range(60)]
    alone = sum(set(part.kinds) <= set(LINES[stem]) for part in parts)
    assert 4 < alone < 30
