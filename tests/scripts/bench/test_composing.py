"""What songs do as music is found in their notes."""

import mido
import numpy as np
import pytest

from scripts.bench import composing
from scripts.dataset.chart import LEAD_IN_SECONDS
from scripts.dataset.score import STEMS, Note, Part

BARS = 16


def make_music(**bars):
    """Music at 60 a minute whose stems play the bar of (beat, pitch) that a function gives."""
    parts = {
        stem: Part(
            [
                Note(LEAD_IN_SECONDS + 4 * bar + beat, 0.5, pitch, 80)
                for bar in range(BARS)
                for beat, pitch in bars.get(stem, lambda bar: [])(bar)
            ]
        )
        for stem in STEMS
    }
    return composing.arrange_bars(parts, 60.0, "4/4")


def find(stem, name, music):
    return composing.FEATURES[name][1](music, stem)


def scale(bar):
    return [(beat, 60 + 2 * beat) for beat in range(4)]


def kicks(bar):
    return [(0, 36), (1.5, 36), (2, 38)]


def test_repeats():
    music = make_music(bass=scale, guitar=lambda bar: [(n, 40 + bar % 2 + n) for n in (0, 1)])
    assert music.keys() == {"bass", "guitar"}
    assert composing.find_repeats(music["bass"], 1) == 1
    assert composing.find_repeats(music["guitar"], 8) == 1
    assert composing.find_repeats(music["guitar"], 1) == 0


def test_half_of_the_notes_come_again():
    music = make_music(bass=lambda bar: [(0, 36), (2, 40 + bar)])
    assert composing.find_repeats(music["bass"], 1) == 0.5


def test_steps_moves_and_chords():
    music = make_music(bass=scale, piano=lambda bar: [(0, 60), (0, 64), (1, 60 + bar)])
    assert composing.find_steps(music, "bass") == pytest.approx(48 / 63)
    assert composing.find_moves(music, "bass") == 0
    assert find("piano", "notes at once", music) == 1.5


def test_rests_count_from_the_first_note_of_the_song():
    music = make_music(drums=kicks, bass=lambda bar: scale(bar) if bar >= 4 else [])
    assert find("bass", "bars of rest", music) == 0.25
    assert find("drums", "bars of rest", music) == 0


@pytest.mark.parametrize(("beat", "share"), [(1.5, 1), (1.0, 0)])
def test_kicks_off_the_beat(beat, share):
    music = make_music(drums=kicks, bass=lambda bar: [(0, 36), (beat, 36)])
    assert composing.find_kicks(music, "bass") == share


def write_midi(path):
    midi = mido.MidiFile(ticks_per_beat=480)
    for channel, program in ((9, 0), (1, 25), (2, 0), (3, 33)):
        track = mido.MidiTrack()
        track.append(mido.Message("program_change", channel=channel, program=program))
        for _ in range(40):
            track.append(mido.Message("note_on", channel=channel, note=40, velocity=80))
            track.append(mido.Message("note_off", channel=channel, note=40, time=480))
        midi.tracks.append(track)
    midi.save(path)


def test_the_report(tmp_path, monkeypatch):
    music = make_music(**dict.fromkeys(STEMS, scale))
    monkeypatch.setattr(composing, "write", lambda count, by_mma: [music] * count)
    (tmp_path / "files").mkdir()
    write_midi(tmp_path / "files" / "a.mid")
    report = tmp_path / "report.md"
    composing.main(songs=3, midi=tmp_path / "files", output=report)
    rows = [line.split("|") for line in report.read_text().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(composing.ROWS)
    found = {(row[1].strip(), row[2].strip()): row for row in rows}
    steps = found["guitar", "melodic steps"]
    assert steps[5].strip() == "0.00 (0.00 to 0.00)"
    assert steps[6].strip() == "1.00"


def test_songs_of_the_composer_are_measured():
    found = composing.measure(list(composing.write(3, by_mma=False)))
    assert len(found) == len(composing.ROWS)
    assert all(np.isfinite(values).any() for values in found if len(values))
