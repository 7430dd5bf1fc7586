"""Notes of one pitch."""

from scripts.dataset.score import Note, without_overlaps


def test_a_note_ends_when_its_pitch_is_struck_again():
    notes = [Note(1.0, 5.0, 60, 90), Note(0.0, 5.0, 60, 90), Note(0.5, 5.0, 62, 90)]
    found = without_overlaps(notes)
    assert [note.start_seconds for note in found] == [0.0, 0.5, 1.0]
    assert [note.duration_seconds for note in found] == [0.995, 5.0, 5.0]


def test_of_two_notes_at_once_the_louder_stays():
    found = without_overlaps(
        [Note(0.0, 1.0, 60, 50), Note(0.01, 1.0, 60, 40), Note(0.0, 1.0, 60, 90)]
    )
    assert found == [Note(0.0, 1.0, 60, 90)]
