"""SFZ files of recordings of single notes."""

import re
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from scripts.dataset import fetch_instruments
from scripts.dataset.fetch_instruments import (
    NOTE_SECONDS,
    Samples,
    fetch_sampled,
    find_notes,
    record,
)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Two layers of three notes each, as packages have them."""
    for layer, velocity in enumerate(("v4", "")):
        folder = tmp_path / f"package-{layer}" / "audio"
        folder.mkdir(parents=True)
        for note in ("A0", "D#4" if velocity else "Ds4", "C5"):
            rate = 44100
            tone = np.sin(2 * np.pi * 440 * np.arange(rate // 10) / rate) * (layer + 1) / 4
            soundfile.write(folder / f"{note}{velocity}.wav", tone, rate)
        (folder / "index.js").write_text("")
    monkeypatch.setattr(fetch_instruments, "fetch", lambda package, folder: tmp_path / package)
    return "package-0", "package-1"


def test_notes_are_found_by_their_names(tmp_path, packages):
    for package in packages:
        assert list(find_notes(tmp_path / package)) == [21, 63, 72]
    with pytest.raises(ValueError, match="found none"):
        find_notes(tmp_path / "package-2")


def test_every_key_and_velocity_has_one_recording(tmp_path, packages):
    folder = tmp_path / "out"
    folder.mkdir()
    fetch_sampled(Samples(packages, 0.3), folder)
    text = (folder / "instrument.sfz").read_text()
    number = r"=(\d+) .*?"
    keys = f"lokey{number}hikey{number}pitch_keycenter{number}"
    pattern = f"sample=(\\S+) .*?{keys}lovel{number}hivel=(\\d+)"
    covered = np.zeros((128, 128), int)
    for sample, *bounds in re.findall(pattern, text):
        low, high, center, soft, loud = map(int, bounds)
        covered[low : high + 1, soft : loud + 1] += 1
        assert low <= center <= high
        audio, rate = soundfile.read(folder / sample)
        assert rate == 22050
        assert np.abs(audio).max() == pytest.approx(0.25 if soft == 0 else 0.5, rel=0.02)
    assert (covered == 1).all()


def test_notes_of_a_patch_are_cut_where_they_begin(tmp_path, monkeypatch):
    def play(command, cwd, **_):
        """As TiMidity++: from the first note on."""
        audio = np.zeros(3 * NOTE_SECONDS * 44100)
        now = 0.0
        for message in mido.MidiFile(Path(cwd) / "notes.mid"):
            now += message.time
            if message.type == "note_on":
                start = round(now * 44100)
                audio[start : start + 22050] = np.linspace(message.note / 200, 0, 22050)
        soundfile.write(Path(cwd) / command[command.index("-o") + 1], audio, 44100)

    monkeypatch.setattr(fetch_instruments.subprocess, "run", play)
    found = record(24, range(40, 47, 3), tmp_path)
    assert list(found) == [40, 43, 46]
    for pitch, path in found.items():
        audio, rate = soundfile.read(path)
        assert len(audio) == NOTE_SECONDS * rate
        assert np.abs(audio).argmax() == 0
        assert audio[0] == pytest.approx(0.7 * pitch / 46, rel=1e-3)
