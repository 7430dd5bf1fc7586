import io

import pytest

from msdm_cli.midi.midi_file import MARK, _encode, write_midi
from msdm_cli.midi.notes import Note

NOTES = [Note(0.5, 1.0, 60, 0.5), Note(0.5, 0.75, 64, 1.0), Note(1.0, 1.5, 60, 0.01)]


def test_notes_come_back():
    mido = pytest.importorskip("mido")
    content = write_midi(NOTES, "piano", 90)
    file = mido.MidiFile(file=io.BytesIO(content))
    messages = list(file)
    assert file.length == pytest.approx(1.5, abs=0.002)
    now = 0.0
    heard = []
    for message in messages:
        now += message.time
        if message.type == "note_on":
            heard.append((round(now, 2), message.note, message.velocity))
    assert heard == [(0.5, 60, 64), (0.5, 64, 127), (1.0, 60, 1)]
    (tempo,) = (message.tempo for message in messages if message.type == "set_tempo")
    assert mido.tempo2bpm(tempo) == pytest.approx(90, abs=0.01)
    names = [message.name for message in messages if message.type == "track_name"]
    assert names == ["piano"]


def test_a_file_begins_with_our_mark():
    content = write_midi([], "a kazoo")
    assert content.startswith(b"MThd\0\0\0\6\0\0\0\1")
    assert content.find(MARK) < 40


@pytest.mark.parametrize(
    ("number", "expected"),
    # The table of the specification.
    [(0, "00"), (0x7F, "7f"), (0x80, "8100"), (0x3FFF, "ff7f"), (0x0FFFFFFF, "ffffff7f")],
)
def test_numbers_of_any_length(number, expected):
    assert _encode(number).hex() == expected
