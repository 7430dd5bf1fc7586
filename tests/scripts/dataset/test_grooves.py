"""What is added to the songs that MMA accompanies."""

from random import Random

import pytest

from scripts.dataset.composer import compose
from scripts.dataset.grooves import _complete, add_pedal, hold
from scripts.dataset.score import Note, Part


def test_a_piano_of_mma_has_a_pedal_for_each_chord_where_it_plays():
    chart = compose("2").chart
    part = Part([Note(1.0, 0.5, 60, 90)], kinds=["mma"])
    add_pedal(part, chart, Random(0))
    sections = [section for section in chart.sections if "piano" in section.playing]
    bars = [
        bar
        for section in sections
        for bar in range(section.first_bar, section.first_bar + section.num_bars)
    ]
    assert sum(down for _, down in part.pedals) == sum(len(chart.bars[bar]) for bar in bars)
    assert part.pedals == sorted(part.pedals)
    # The composer's pianos have their own.
    own = Part([Note(1.0, 0.5, 60, 90)], kinds=["block"])
    add_pedal(own, chart, Random(0))
    assert own.pedals == []


@pytest.mark.parametrize(("drum", "kept"), [(81, False), (36, True), (38, True)])
def test_drums_without_kick_and_snare_are_the_composer_s(drum, kept):
    composed = compose("2")
    drums = Part([Note(float(index), 0.1, drum, 90) for index in range(60)], kinds=["mma"])
    found = []
    for seed in range(10):
        parts = {**composed.song.parts, "drums": drums}
        _complete(parts, composed.chart, composed.style, Random(seed), f"{seed}")
        found.append(parts["drums"] is drums)
    assert sum(found) > 5 if kept else not any(found)


def test_notes_of_mma_are_held_until_the_next_stroke():
    part = Part(
        [Note(0.0, 0.1, 40, 90), Note(0.02, 0.1, 47, 90), Note(1.0, 0.1, 40, 90)], kinds=["mma"]
    )
    hold(part, 0.9)
    assert [note.duration_seconds for note in part.notes] == pytest.approx([0.9, 0.882, 0.1])


def test_notes_that_last_longer_stay_and_so_do_the_composer_s():
    part = Part([Note(0.0, 0.8, 40, 90), Note(1.0, 0.1, 40, 90)], kinds=["mma"])
    hold(part, 0.5)
    assert [note.duration_seconds for note in part.notes] == [0.8, 0.1]
    own = Part([Note(0.0, 0.1, 40, 90), Note(1.0, 0.1, 40, 90)], kinds=["riff"])
    hold(own, 1.0)
    assert own.notes[0].duration_seconds == 0.1
