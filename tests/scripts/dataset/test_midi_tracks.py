"""Tracks of MIDI files, and the stems and instruments that they are of."""

import mido
import pytest

from scripts.dataset.chart import LEAD_IN_SECONDS
from scripts.dataset.midi_tracks import COMPASSES, DISTORTED, Track, assign_stems, list_tracks
from scripts.dataset.score import Note, Part


def make_tracks(*tracks):
    """Tracks by channel, of (name, program, number of notes)."""
    return {
        channel: Track(
            name, program, Part([Note(float(index), 0.5, 50, 90) for index in range(count)])
        )
        for channel, (name, program, count) in enumerate(tracks)
    }


def count_notes(*tracks):
    """By stem, the numbers of notes of its instruments."""
    stems = assign_stems(make_tracks(*tracks))
    return {stem: [len(part.notes) for part in found] for stem, found in stems.items() if found}


def test_instruments_of_a_stem_are_told_apart_those_of_most_notes_first():
    found = count_notes(("chord", 25, 3), ("bass", 33, 4), ("arp", 27, 7), ("piano", 0, 2))
    assert found == {"bass": [4], "guitar": [7, 3], "piano": [2]}


def test_tracks_of_one_program_are_one_instrument():
    stems = assign_stems(make_tracks(("chord", 25, 3), ("arpeggio", 25, 5)))
    # Notes of one pitch that begin together are one.
    assert [len(part.notes) for part in stems["guitar"]] == [5]


def test_names_tell_basses_where_no_program_does():
    assert count_notes(("bass", 0, 4), ("walk", 0, 6)) == {"bass": [6]}
    found = count_notes(("bass-9", 33, 4), ("bass-6", 26, 6), ("bass-8", 0, 2), ("bass-7", 61, 9))
    assert found == {"bass": [4], "guitar": [6], "piano": [2]}


@pytest.mark.parametrize(("name", "stem"), [("arpeggio", "guitar"), ("chord-sus", "piano")])
def test_strings_go_to_a_stem_that_is_empty(name, stem):
    assert count_notes((name, 48, 3), ("bass", 33, 1)) == {stem: [3], "bass": [1]}
    assert count_notes((name, 48, 3), ("a", 25, 1), ("b", 0, 1)) == {"guitar": [1], "piano": [1]}


def test_notes_move_by_octaves_into_the_compass():
    notes = [Note(float(index), 0.5, pitch, 90) for index, pitch in enumerate(range(0, 128, 5))]
    for stem, program in (("bass", 33), ("guitar", 25), ("piano", 0)):
        (moved,) = assign_stems({0: Track("", program, Part(notes))})[stem]
        low, high = COMPASSES[stem]
        for note, before in zip(moved.notes, notes, strict=True):
            assert low <= note.pitch <= high
            assert (note.pitch - before.pitch) % 12 == 0


def test_notes_of_a_file_are_in_seconds():
    midi = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack([mido.MetaMessage("track_name", name="Bass-9")])
    track.append(mido.MetaMessage("set_tempo", tempo=1_000_000))
    track.append(mido.Message("program_change", program=33, channel=2))
    track.append(mido.Message("note_on", note=40, velocity=77, channel=2, time=960))
    track.append(mido.Message("note_off", note=40, channel=2, time=240))
    midi.tracks.append(track)
    part = Part([Note(2.0 + LEAD_IN_SECONDS, 0.5, 40, 77)])
    assert list_tracks(midi) == {2: Track("bass-9", 33, part)}


def test_a_note_that_is_struck_again_is_not_lost():
    track = mido.MidiTrack([mido.Message("note_on", note=40, velocity=77)])
    track.append(mido.Message("note_on", note=40, velocity=55, time=480))
    track.append(mido.Message("note_off", note=40, time=240))
    # There is nothing left to end.
    track.append(mido.Message("note_off", note=40, time=240))
    midi = mido.MidiFile(ticks_per_beat=480)
    midi.tracks.append(track)
    (found,) = list_tracks(midi).values()
    starts = LEAD_IN_SECONDS, LEAD_IN_SECONDS + 0.5
    assert found.part.notes == [Note(starts[0], 0.5, 40, 77), Note(starts[1], 0.25, 40, 55)]


def test_pedal_and_wheel_are_kept():
    track = mido.MidiTrack([mido.Message("program_change", program=27)])
    for control, value in ((101, 0), (100, 0), (6, 12), (64, 127)):
        track.append(mido.Message("control_change", control=control, value=value))
    track.append(mido.Message("note_on", note=50, velocity=77))
    track.append(mido.Message("pitchwheel", pitch=4096, time=480))
    track.append(mido.Message("note_off", note=50, time=480))
    track.append(mido.Message("control_change", control=64, value=0, time=480))
    midi = mido.MidiFile(ticks_per_beat=480)
    midi.tracks.append(track)
    first = LEAD_IN_SECONDS
    ((found,),) = (part for part in assign_stems(list_tracks(midi)).values() if part)
    assert found.bends == [(first + 0.5, 6.0)]
    assert found.pedals == [(first, True), (first + 1.5, False)]


def test_channels_that_are_one_instrument_keep_what_their_pedals_hold():
    pedals = [(0.1, True), (2.0, False)]
    held = Part([Note(0.0, 0.5, 50, 90), Note(3.0, 0.5, 50, 90)], [(0.1, 1.0)], pedals)
    dry = Part([Note(0.0, 0.5, 60, 90), Note(3.0, 0.5, 60, 90)])
    tracks = {0: Track("", 25, held), 1: Track("", 25, dry)}
    (found,) = assign_stems(tracks)["guitar"]
    assert (found.bends, found.pedals) == ([], [])
    assert [(note.pitch, note.duration_seconds) for note in found.notes] == [
        (50, 2.0),
        (60, 0.5),
        (50, 0.5),
        (60, 0.5),
    ]


def test_guitars_say_if_they_are_distorted():
    stems = assign_stems(make_tracks(("", 30, 5), ("", 25, 3), ("", 0, 4), ("", 33, 4)))
    assert [part.kinds for part in stems["guitar"]] == [[DISTORTED], []]
    assert [part.kinds for part in stems["piano"] + stems["bass"]] == [[], []]


def test_notes_are_softer_where_a_channel_is_turned_down():
    track = mido.MidiTrack()
    for volume, expression in ((90, 127), (45, 127), (90, 64), (0, 127)):
        track.append(mido.Message("control_change", control=7, value=volume))
        track.append(mido.Message("control_change", control=11, value=expression))
        track.append(mido.Message("note_on", note=40, velocity=100))
        track.append(mido.Message("note_off", note=40, time=480))
    midi = mido.MidiFile(ticks_per_beat=480)
    midi.tracks.append(track)
    (found,) = list_tracks(midi).values()
    assert [note.velocity for note in found.part.notes] == [100, 50, 50]


def test_a_channel_that_is_turned_off_is_none():
    track = mido.MidiTrack([mido.Message("control_change", control=7, value=0)])
    track.append(mido.Message("note_on", note=40, velocity=100))
    track.append(mido.Message("note_off", note=40, time=480))
    midi = mido.MidiFile(ticks_per_beat=480)
    midi.tracks.append(track)
    assert list_tracks(midi) == {}
