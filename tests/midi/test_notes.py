import numpy as np
import pytest

from msdm_cli.audio.source import ArraySource
from msdm_cli.errors import MissingPackage
from msdm_cli.midi.notes import HOP, LOWEST_KEY, RATE, find_network, find_notes, transcribe

FRAMES = 100
TIMES = np.arange(FRAMES) * 0.01


def make_maps(*played):
    """What a network would say of notes: key, first frame, last frame."""
    sounds = np.full((FRAMES, 88), 0.05, np.float32)
    begins = np.full((FRAMES, 88), 0.05, np.float32)
    for key, first, last in played:
        sounds[first:last, key] = 0.8
        begins[first, key] = 0.9
    return sounds, begins


def list_notes(*maps):
    return [
        (round(note.start * 100), round(note.stop * 100), note.key - LOWEST_KEY) for note in maps
    ]


def test_notes_begin_at_peaks_and_last_as_long_as_they_sound():
    sounds, begins = make_maps((40, 10, 50), (47, 30, 60))
    notes = find_notes(sounds, begins, TIMES)
    assert list_notes(*notes) == [(10, 50, 40), (30, 60, 47)]
    assert notes[0].loudness == pytest.approx(0.8)


def test_a_repeated_note_is_two():
    sounds, begins = make_maps((40, 10, 50))
    begins[30, 40] = 0.9
    assert list_notes(*find_notes(sounds, begins, TIMES)) == [(10, 30, 40), (30, 50, 40)]


def test_short_gaps_belong_to_a_note_and_short_notes_are_none():
    sounds, begins = make_maps((40, 10, 50), (60, 70, 78))
    sounds[25:35, 40] = np.linspace(0.05, 0.75, 10)  # quieter than a sound for 4 frames
    assert list_notes(*find_notes(sounds, begins, TIMES)) == [(10, 50, 40)]


def test_a_sudden_rise_is_a_beginning():
    sounds, begins = make_maps((40, 10, 50), (52, 20, 60))
    begins[20, 52] = 0.05
    assert list_notes(*find_notes(sounds, begins, TIMES)) == [(10, 50, 40), (20, 60, 52)]


def test_nothing_sounds():
    sounds, begins = make_maps()
    assert find_notes(sounds, begins, TIMES) == []


def test_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr("msdm_cli.midi.notes.PACKAGE", "no-such-package")
    with pytest.raises(MissingPackage, match="no-such-package") as caught:
        find_network()
    assert "pip install --no-deps" in caught.value.remedy


def pluck(key, start, stop, seconds, rate):
    """A tone with overtones that fades, as of a string."""
    time = np.arange(int(seconds * rate)) / rate
    hz = 440 * 2 ** ((key - 69) / 12)
    tone = sum(np.sin(2 * np.pi * hz * n * time) / n**1.5 for n in range(1, 7))
    after = np.maximum(time - start, 0)
    return 0.2 * tone * (time >= start) * (time < stop) * np.exp(-1.5 * after)


@pytest.mark.parametrize("rate", [22050, 44100])
def test_notes_that_were_played_are_found(rate):
    try:
        find_network()
    except MissingPackage as error:
        pytest.skip(error.message)
    played = [(60, 0.5, 1.5), (64, 1.7, 2.4), (67, 3.0, 4.2), (55, 4.5, 5.3)]
    sound = sum(pluck(key, start, stop, 6, rate) for key, start, stop in played)
    found = transcribe(ArraySource(np.stack([sound, sound]), rate))
    loud = [note for note in found if note.loudness > 0.4]
    assert [note.key for note in loud] == [key for key, *_ in played]
    for note, (_, start, _) in zip(loud, played, strict=True):
        # A frame, and the blur of the network.
        assert note.start == pytest.approx(start, abs=HOP / RATE + 0.03)
