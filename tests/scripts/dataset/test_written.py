"""Songs that people wrote: which files count, and how they are played."""

import struct

import mido
import pytest

from scripts.dataset.chart import LEAD_IN_SECONDS, TAIL_SECONDS
from scripts.dataset.score import STEMS
from scripts.dataset.written import (
    LEAST_NOTES,
    MOST_SECONDS,
    SEMITONES,
    find_tempo,
    gather,
    read_lumps,
    read_written,
)

PROGRAMS = {0: 33, 9: 0, 1: 25, 2: 0}
"""Program by channel: bass, drums, guitar, piano."""

TICKS = 480


def write_midi(path, channels, notes=LEAST_NOTES, tempo=500_000, meter=(4, 4)):
    """A note every beat on each channel, half a beat long; 2 beats a second if not told else."""
    midi = mido.MidiFile(ticks_per_beat=TICKS)
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("set_tempo", tempo=tempo))
    head.append(mido.MetaMessage("time_signature", numerator=meter[0], denominator=meter[1]))
    midi.tracks.append(head)
    for channel in channels:
        track = mido.MidiTrack()
        track.append(mido.Message("program_change", channel=channel, program=PROGRAMS[channel]))
        for index in range(notes):
            wait = TICKS // 2 if index else 0
            pitch = 40 + channel
            track.append(
                mido.Message(
                    "note_on", channel=channel, note=pitch, velocity=20 + index // 8, time=wait
                )
            )
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=TICKS // 2))
        midi.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    midi.save(path)
    return path


def write_wad(path, lumps):
    data = b"".join(lumps.values())
    directory, start = b"", 12
    for name, lump in lumps.items():
        directory += struct.pack("<II8s", start, len(lump), name.encode())
        start += len(lump)
    path.write_bytes(struct.pack("<4sII", b"IWAD", len(lumps), start) + data + directory)


def test_files_and_lumps_that_fill_three_stems_are_gathered_once(tmp_path):
    source = tmp_path / "games"
    full = write_midi(source / "deep" / "full.mid", PROGRAMS).read_bytes()
    three = write_midi(tmp_path / "three.mid", (0, 9, 1)).read_bytes()
    write_midi(source / "two.mid", (0, 9))
    write_midi(source / "short.mid", PROGRAMS, notes=LEAST_NOTES - 1)
    (source / "broken.mid").write_bytes(b"MThd and no more")
    # Simutrans has files with a key signature like this one: a flat, and no mode.
    meter = bytes(mido.MetaMessage("time_signature").bytes())
    (source / "key.mid").write_bytes(full.replace(meter, b"\xff\x59\x04\xff\xff\0\0", 1))
    lumps = {"D_E1M1": full, "D_E1M2": three, "MAP01": b"MUS\x1a", "PLAYPAL": b"\0" * 9}
    write_wad(source / "game.wad", lumps)
    assert list(read_lumps((source / "game.wad").read_bytes())) == [
        ("D_E1M1", full),
        ("D_E1M2", three),
    ]
    assert gather(source, tmp_path / "midi") == ["full", "game-D_E1M2"]
    assert (tmp_path / "midi" / "game-D_E1M2.mid").read_bytes() == three


def test_other_songs_of_the_same_name_are_kept(tmp_path):
    first = write_midi(tmp_path / "one" / "tune.mid", PROGRAMS)
    other = write_midi(tmp_path / "two" / "tune.mid", PROGRAMS, notes=LEAST_NOTES + 1)
    assert gather(tmp_path, tmp_path / "midi") == ["tune", "tune (2)"]
    copies = [(tmp_path / "midi" / f"{name}.mid").read_bytes() for name in ("tune", "tune (2)")]
    assert copies == [first.read_bytes(), other.read_bytes()]


def test_a_song_is_a_file_in_another_key_and_at_another_speed(tmp_path):
    write_midi(tmp_path / "a.mid", PROGRAMS)
    write_midi(tmp_path / "b.mid", (0, 9, 1), tempo=400_000, meter=(3, 4))
    keys, tempi = set(), set()
    for index in range(0, 40, 2):
        song = read_written(tmp_path, f"7/train/{index}")
        assert song == read_written(tmp_path, f"7/train/{index}")
        assert (song.style, song.meter, song.key) == ("a", "4/4", "")
        bass, drums = song.parts["bass"].notes, song.parts["drums"].notes
        beat = 60 / song.tempo
        for number, (note, hit) in enumerate(zip(bass, drums, strict=True)):
            assert note.start_seconds == pytest.approx(LEAD_IN_SECONDS + number * beat)
            assert note.duration_seconds == pytest.approx(beat / 2)
            assert hit.pitch == 49
        keys.add(bass[0].pitch - 40)
        tempi.add(song.tempo)
    assert max(keys) == -min(keys) == SEMITONES
    assert 108 <= min(tempi) < 112
    assert 128 < max(tempi) <= 132
    other = read_written(tmp_path, "7/train/1")
    assert (other.style, other.meter) == ("b", "3/4")
    assert other.tempo == pytest.approx(150, rel=0.1)
    assert other.parts["piano"].notes == []
    assert set(other.parts) == set(STEMS)


def test_two_instruments_of_a_stem_are_two_parts(tmp_path, monkeypatch):
    monkeypatch.setitem(PROGRAMS, 3, 27)
    write_midi(tmp_path / "a.mid", PROGRAMS)
    song = read_written(tmp_path, "7/train/0")
    assert set(song.second_parts) == {"guitar"}
    assert len(song.second_parts["guitar"].notes) == LEAST_NOTES


def test_all_instruments_of_a_stem_play(tmp_path, monkeypatch):
    for channel, program in ((3, 27), (4, 28), (5, 30)):
        monkeypatch.setitem(PROGRAMS, channel, program)
    write_midi(tmp_path / "a.mid", PROGRAMS)
    second = read_written(tmp_path, "7/train/0").second_parts["guitar"]
    assert len(second.notes) == 3 * LEAST_NOTES


def test_a_long_file_is_cut_at_a_bar(tmp_path):
    midi = mido.MidiFile(write_midi(tmp_path / "a.mid", PROGRAMS, notes=600))
    assert midi.length > 2 * MOST_SECONDS - 10
    firsts = set()
    for index in range(8):
        song = read_written(tmp_path, f"7/train/{index}")
        speed = song.tempo / 120
        assert song.duration_seconds == pytest.approx(MOST_SECONDS / speed + TAIL_SECONDS)
        notes = song.parts["bass"].notes
        # A bar has two seconds of the file, and there is a note at its beginning.
        assert notes[0].start_seconds == pytest.approx(LEAD_IN_SECONDS, abs=1e-6)
        assert len(notes) == MOST_SECONDS * 2
        last = notes[-1]
        assert last.start_seconds + last.duration_seconds < MOST_SECONDS / speed + 0.1
        firsts.add(notes[0].velocity)
    assert len(firsts) > 3


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], (120.0, "4/4")),
        ([mido.MetaMessage("set_tempo", tempo=250_000)], (0.0, "4/4")),
        ([mido.MetaMessage("time_signature", numerator=3, denominator=4)], (0.0, "4/4")),
    ],
)
def test_a_tempo_that_changes_is_not_told(tmp_path, more, expected):
    midi = mido.MidiFile(write_midi(tmp_path / "a.mid", PROGRAMS))
    midi.tracks[0].extend(more)
    assert find_tempo(midi) == expected


def test_a_file_that_says_nothing_has_two_beats_a_second():
    assert find_tempo(mido.MidiFile()) == (120.0, "4/4")


def test_a_rare_meter_is_not_told(tmp_path):
    midi = mido.MidiFile(write_midi(tmp_path / "a.mid", PROGRAMS, meter=(7, 4)))
    assert find_tempo(midi) == (0.0, "4/4")


def test_pedal_and_wheel_keep_their_place_beside_the_notes(tmp_path):
    midi = mido.MidiFile(write_midi(tmp_path / "a.mid", PROGRAMS, notes=600))
    for track, kind in zip(midi.tracks[1:], PROGRAMS, strict=True):
        if kind == 1:
            track.insert(1, mido.Message("control_change", channel=1, control=64, value=127))
            track.insert(1, mido.Message("pitchwheel", channel=1, pitch=4096))
    midi.save(tmp_path / "a.mid")
    for index in range(4):
        part = read_written(tmp_path, f"7/train/{index}").parts["guitar"]
        # Wherever the song is cut, they are as before it.
        assert part.bends == [(LEAD_IN_SECONDS, 1.0)]
        (down, up) = part.pedals
        assert down == (LEAD_IN_SECONDS, True)
        assert up[0] > part.notes[-1].start_seconds
        assert not up[1]
