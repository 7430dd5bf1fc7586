"""What tells the parts of guitars from those of pianos is found in their notes."""

import mido
import numpy as np
import pytest

from scripts.bench import playing
from scripts.dataset.score import STEMS, Note, Part


def make_part(apart=0.0, slope=0, pitch=60, chords=8, pedals=()):
    """Chords of three notes every second, their notes so far apart and so much harder each."""
    notes = [
        Note(second + index * apart, 0.5, pitch + 4 * index, 80 + index * slope)
        for second in range(chords)
        for index in range(3)
    ]
    return Part(notes, pedals=list(pedals))


def test_the_features_of_chords():
    assert playing.find_spread(make_part(apart=0.02)) == pytest.approx(0.04)
    assert playing.find_slope(make_part(slope=-2)) == -2
    line = Part([Note(second, 0.5, 60, 80) for second in range(20)])
    assert np.isnan(playing.find_spread(line))
    assert np.isnan(playing.find_slope(line))


def test_the_chance_of_the_usual_order():
    assert playing.tell_apart(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1
    assert playing.tell_apart(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1
    assert playing.tell_apart(np.array([1.0, np.nan]), np.array([1.0, 1.0])) == 0.5
    assert playing.tell_apart(np.array([1.0, 3.0]), np.array([2.0])) == 0.5


def test_strummed_guitars_are_told_from_pianos_by_their_chords_alone():
    songs = [{"guitar": make_part(apart=0.02), "piano": make_part()}] * 3
    songs.append({"guitar": make_part(chords=1), "piano": make_part()})  # too short to count
    figures = playing.measure(songs)
    assert figures["time from the first to the last note of a chord"] == 1
    assert figures["mean pitch"] == 0.5


def write_midi(path):
    midi = mido.MidiFile(ticks_per_beat=480)
    for channel, program in ((1, 25), (2, 0), (3, 33)):
        track = mido.MidiTrack()
        track.append(mido.Message("program_change", channel=channel, program=program))
        for _ in range(20):
            track.append(mido.Message("note_on", channel=channel, note=50 + channel, velocity=80))
            track.append(mido.Message("note_off", channel=channel, note=50 + channel, time=240))
        midi.tracks.append(track)
    midi.save(path)


def test_the_report(tmp_path, monkeypatch):
    strummed = {"guitar": make_part(apart=0.02), "piano": make_part()}
    monkeypatch.setattr(playing, "compose", lambda count: [strummed] * count)
    (tmp_path / "files").mkdir()
    write_midi(tmp_path / "files" / "a.mid")
    report = tmp_path / "report.md"
    playing.main(songs=3, midi=tmp_path / "files", output=report)
    rows = [line.split("|") for line in report.read_text().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(playing.FEATURES)
    figures = {row[1].strip(): (float(row[2]), float(row[3])) for row in rows[2:]}
    assert figures["mean pitch"] == (0.5, 1)  # a semitone apart in the file
    assert figures["time from the first to the last note of a chord"][0] == 1


def test_training_songs_are_composed_as_they_are_rendered():
    songs = list(playing.compose(2))
    assert [set(song) for song in songs] == [set(STEMS)] * 2
    assert any(part.notes for song in songs for part in song.values())
