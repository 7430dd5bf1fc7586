"""What is added to the songs that MMA accompanies."""

from random import Random

from scripts.dataset.composer import compose
from scripts.dataset.grooves import add_pedal
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
