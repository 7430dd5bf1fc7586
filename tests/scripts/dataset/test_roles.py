"""Guitar and piano in each other's roles."""

from dataclasses import replace

from scripts.dataset.roles import GUITAR_RANGE, cross_roles, find_source, is_crossed
from scripts.dataset.score import Note, Part, Song

GUITAR = Part([Note(0.0, 0.5, 50, 90)], bends=[(0.1, 1.0)], kinds=["lead"])
PIANO = Part(
    [Note(0.0, 0.5, 30, 80), Note(0.0, 0.5, 60, 80), Note(1.0, 0.5, 100, 80)],
    pedals=[(0.0, True)],
    kinds=["comp"],
)
DRUMS = Part([Note(0.0, 0.1, 36, 100)])
SONG = Song(
    {"guitar": GUITAR, "piano": PIANO, "drums": DRUMS}, 2.0, "test", "test", 120.0, "C", "4/4"
)


def test_a_tenth_of_the_songs_is_crossed_and_a_tenth_repeats_notes():
    seeds = [f"7/train/{index}" for index in range(20)]
    others = {seed: find_source(seed) for seed in seeds if find_source(seed) != seed}
    assert others == {
        "7/train/4": "7/train/3",
        "7/train/9": "7/train/8",
        "7/train/14": "7/train/13",
        "7/train/19": "7/train/18",
    }
    assert [seed for seed in seeds if is_crossed(seed)] == ["7/train/9", "7/train/19"]


def test_roles_are_crossed_and_the_rest_stays():
    crossed = cross_roles(SONG)
    assert crossed.parts["drums"] is DRUMS
    assert crossed.parts["piano"].notes == GUITAR.notes
    assert crossed.parts["piano"].kinds == ["lead"]
    # Pianos do not bend.
    assert crossed.parts["piano"].bends == []
    assert crossed.parts["guitar"].pedals == PIANO.pedals
    assert SONG.parts == {"guitar": GUITAR, "piano": PIANO, "drums": DRUMS}
    assert crossed.duration_seconds == SONG.duration_seconds


def test_second_parts_are_crossed_too():
    song = replace(SONG, second_parts={"piano": PIANO, "bass": DRUMS})
    seconds = cross_roles(song).second_parts
    assert seconds.keys() == {"guitar", "bass"}
    assert seconds["guitar"].kinds == ["comp"]
    assert seconds["bass"] is DRUMS


def test_a_guitar_plays_a_piano_in_its_own_range():
    notes = cross_roles(SONG).parts["guitar"].notes
    low, high = GUITAR_RANGE
    assert all(low <= note.pitch <= high for note in notes)
    before = sorted(PIANO.notes, key=lambda note: (note.start_seconds, note.pitch))
    for note, old in zip(notes, before, strict=True):
        assert (note.pitch - old.pitch) % 12 == 0
        assert note.start_seconds == old.start_seconds


def test_octaves_that_fall_together_are_one_note():
    piano = Part([Note(0.0, 0.5, 30, 80), Note(0.0, 0.5, 42, 90)])
    song = Song({"guitar": GUITAR, "piano": piano}, 1.0, "test", "test", 120.0, "C", "4/4")
    assert [note.pitch for note in cross_roles(song).parts["guitar"].notes] == [42]
