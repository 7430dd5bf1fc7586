"""Second parts, borrowed roles, doubled lines, high basses and toms that sing."""

from dataclasses import replace

import pytest

from scripts.dataset import arrangement
from scripts.dataset.arrangement import arrange, double_line
from scripts.dataset.chart import LEAD_IN_SECONDS
from scripts.dataset.composer import PLAYERS, Composition
from scripts.dataset.drums import TOMS
from scripts.dataset.score import Note, Part

SHARES = ("SECOND", "BORROWED", "DOUBLED", "RAISED", "MOVED", "SINGING")
COMPASSES = {"bass": (20, 70), "guitar": (40, 86), "piano": (20, 115)}


@pytest.fixture
def always(monkeypatch):
    """Makes one thing happen in every song, and nothing else."""

    def make(*names):
        for share in SHARES:
            monkeypatch.setattr(arrangement, share, float(share in names))

    make()
    return make


@pytest.mark.usefixtures("always")
def test_a_song_may_stay_as_it_is(composed):
    assert arrange(composed, "x") == composed.song


def test_second_parts_are_of_other_kinds_and_rest_in_some_sections(composed, always):
    always("SECOND")
    chart = composed.chart
    rests = 0
    for seed in map(str, range(6)):
        song = arrange(composed, seed)
        assert song == arrange(composed, seed)
        assert song.parts == composed.song.parts
        assert set(song.second_parts) == {"guitar", "piano"}
        for stem, part in song.second_parts.items():
            assert part.notes
            assert not set(part.kinds) & set(song.parts[stem].kinds)
            assert set(part.kinds) <= PLAYERS[stem].keys()
            playing = {
                name
                for name in (section.name for section in chart.sections)
                if any(chart.section_at(note.start_seconds).name == name for note in part.notes)
            }
            rests += len({section.name for section in chart.sections} - playing)
    assert rests > 6


def test_parts_of_mma_have_second_parts_too(composed, always):
    always("SECOND")
    part = Part([Note(1.0, 1.0, 60, 90)], kinds=["mma"])
    parts = {**composed.song.parts, "guitar": part, "piano": Part()}
    song = type(composed.song)(parts, composed.song.duration_seconds, "mma", "x", 1.0, "C", "4/4")
    arranged = arrange(Composition(song, composed.chart, composed.style), "x")
    # A stem that rests has no second part.
    assert set(arranged.second_parts) == {"guitar"}


def test_a_second_part_of_mma_stays(composed, always):
    always("SECOND")
    part = Part([Note(1.0, 1.0, 40, 90)], kinds=["mma"])
    song = replace(composed.song, second_parts={"guitar": part, "bass": part})
    seconds = arrange(replace(composed, song=song), "x").second_parts
    assert seconds["guitar"] is part
    assert seconds["bass"] is part
    assert seconds["piano"].kinds != ["mma"]


def test_a_guitar_borrows_a_piano_s_kinds_and_range_is_its_own(composed, always):
    always("BORROWED")
    song = arrange(composed, "x")
    for stem, other in (("guitar", "piano"), ("piano", "guitar")):
        part = song.parts[stem]
        low, high = COMPASSES[stem]
        assert {kind.removeprefix(f"{other}'s ") for kind in part.kinds} <= PLAYERS[other].keys()
        assert all(low <= note.pitch <= high for note in part.notes)
    assert song.parts["piano"].bends == []
    assert song.second_parts == {}


def test_a_line_is_doubled_an_octave_away(composed, always):
    always("DOUBLED")
    (found,) = arrange(composed, "x").second_parts.items()
    stem, part = found
    first = composed.song.parts[arrangement.OTHERS[stem]]
    heard = {(note.start_seconds, note.pitch % 12) for note in first.notes}
    assert {(note.start_seconds, note.pitch % 12) for note in part.notes} <= heard
    assert part.kinds == ["doubled line"]


def test_a_doubled_line_has_the_highest_notes():
    notes = [Note(0.0, 1, 60, 90), Note(0.02, 1, 67, 90), Note(0.03, 1, 64, 90), Note(1, 1, 62, 90)]
    line = double_line(Part(notes), 12).notes
    assert [(note.start_seconds, note.pitch) for note in line] == [(0.02, 79), (1, 74)]


def test_a_bass_plays_an_octave_higher_unless_that_is_too_high(composed, always):
    always("RAISED")
    bass = arrange(composed, "x").parts["bass"]
    before = composed.song.parts["bass"]
    assert min(note.pitch for note in bass.notes) > min(note.pitch for note in before.notes)
    assert max(note.pitch for note in bass.notes) <= arrangement.HIGHEST_BASS
    assert bass.kinds == [*before.kinds, "raised"]


def test_guitar_and_piano_play_an_octave_away_where_they_can(composed, always):
    always("MOVED")
    for seed in "abc":
        song = arrange(composed, seed)
        for stem in ("guitar", "piano"):
            old, new = (
                {(note.start_seconds, note.pitch) for note in part.notes}
                for part in (composed.song.parts[stem], song.parts[stem])
            )
            low, high = arrangement.RANGES[stem]
            moved = {semitones: len(new & shift(old, semitones)) for semitones in (-12, 12)}
            assert max(moved.values()) > 0.5 * len(new)
            assert new <= old | shift(old, 12) | shift(old, -12)
            assert all(low <= pitch <= high for start, pitch in new - old)
        assert song.parts["bass"] == composed.song.parts["bass"]


def shift(notes, semitones):
    return {(start, pitch + semitones) for start, pitch in notes}


def test_toms_play_a_tune_that_every_bar_of_a_section_repeats(composed, always):
    always("SINGING")
    chart = composed.chart
    before = composed.song.parts["drums"].notes
    song = arrange(composed, "x")
    changed = [
        (old, new) for old, new in zip(before, song.parts["drums"].notes, strict=True) if old != new
    ]
    assert len(changed) > 16
    assert {old.pitch for old, _ in changed} <= arrangement.TIMEKEEPERS
    assert {new.pitch for _, new in changed} <= set(TOMS)
    assert all(replace(new, pitch=old.pitch) == old for old, new in changed)
    heard = {}
    for _, note in changed:
        step = round((note.start_seconds - LEAD_IN_SECONDS) / chart.step_seconds)
        place = chart.section_at(note.start_seconds).name, step % chart.steps_per_bar
        assert heard.setdefault(place, note.pitch) == note.pitch
    assert len(set(heard.values())) > 1
    assert song.parts["drums"].kinds[-1] == "singing toms"
    # What keeps time elsewhere stays.
    names = {chart.section_at(new.start_seconds).name for _, new in changed}
    assert names < {section.name for section in chart.sections}
