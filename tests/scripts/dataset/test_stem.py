"""What a stem is played on, with instruments that need no files."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from scripts.dataset import instruments, stem
from scripts.dataset.midi_tracks import DISTORTED
from scripts.dataset.score import Note, Part, Song
from scripts.dataset.stem import StemRenderer, active_rms, resize
from scripts.dataset.struck import render_struck
from scripts.dataset.timbres import Timbre, list_fitting

FONT = Timbre("font", "soundfont", Path("font"), 1.0)
NUMBERS = Timbre("struck", "struck", None, 1.0)


def render_piano(seed, timbre=FONT, *, varied, bends=(), tuning_cents=0.0):
    """The piano of a short song, and what it is made of."""
    notes = [Note(0.1 + 0.2 * index, 0.15, 60 + index, 90) for index in range(8)]
    song = Song({"piano": Part(notes, bends=list(bends))}, 2.0, "test", "test", 120.0, "C", "4/4")
    rng = Random(seed)
    return StemRenderer(song, "piano", [timbre], rng, varied, tuning_cents).render()


def list_timbres(seeds, **options):
    return [render_piano(seed, varied=True, **options)[1]["timbres"] for seed in range(seeds)]


@pytest.fixture
def font(monkeypatch):
    """A sound font that nobody has to install: what it is asked to play, in order."""
    asked = []

    def play(part, duration_seconds, path, preset, cents, ending):
        asked.append((part, cents, ending))
        return render_struck(part, duration_seconds, cents, Random(len(asked)))

    monkeypatch.setattr(instruments, "render_soundfont", play)
    return asked


def test_an_instrument_of_another_size_sounds_at_the_same_pitches():
    part = Part([Note(0.0, 0.5, 57 + index, 20 + index) for index in range(30)], bends=[(0.1, 2.0)])
    found = set()
    for seed in range(400):
        resized, semitones = resize(part, "piano", FONT, Random(seed))
        pitches = [note.pitch + semitones for note in resized.notes]
        assert pitches == [note.pitch for note in part.notes]
        velocities = [note.velocity for note in resized.notes]
        assert velocities == sorted(velocities)
        assert 1 <= velocities[0] <= velocities[-1] <= 127
        assert resized.bends == part.bends
        found.add(semitones)
    assert found == set(range(-7, 8))
    assert resize(part, "piano", NUMBERS, Random(0))[1] == 0


def test_what_plays_a_part_has_its_notes():
    part = Part([Note(0.0, 0.5, pitch, 90) for pitch in (*range(50, 70), *range(50, 70), 80)])
    small = replace(FONT, name="small", compass=(50, 65))
    wide = replace(FONT, name="wide", compass=(50, 75))
    assert list_fitting(part, [small, wide, FONT]) == [wide, FONT]
    assert list_fitting(part, [small]) == [small]


def test_another_size_moves_no_note_out_of_the_compass():
    part = Part([Note(0.0, 0.5, pitch, 90) for pitch in (30, 43, 60, 79)])
    timbre = replace(FONT, kind="sampled", compass=(40, 80))
    found = set()
    for seed in range(200):
        resized, semitones = resize(part, "guitar", timbre, Random(seed))
        assert all(40 <= note.pitch <= 80 for note in resized.notes[1:])
        found.add(semitones)
    assert found == {-1, 0, 1, 2, 3}


@pytest.mark.usefixtures("font")
def test_validation_plays_instruments_as_they_are(font):
    for seed in range(3):
        font.clear()
        audio, detail = render_piano(seed, varied=False)
        assert detail["timbres"] == ["font"]
        assert [note.pitch for note in font[0][0].notes] == list(range(60, 68))
        assert font[0][2] == (1.0, 1.0)
        assert active_rms(audio) == pytest.approx(10 ** (detail["level_db"] / 20), rel=1e-3)


def test_an_instrument_is_tuned_to_its_band_within_a_few_cents(font):
    for seed in range(30):
        render_piano(seed, varied=False, tuning_cents=20.0)
    cents = [tuned for _, tuned, _ in font]
    assert np.mean(cents) == pytest.approx(20, abs=2)
    assert 1 < np.std(cents) < 5


def test_notes_of_training_last_longer_or_shorter_and_never_decay_later(font, monkeypatch):
    monkeypatch.setattr(stem, "LOOPED", {"piano": 0.0})
    list_timbres(30)
    decays, releases = np.log2([ending for _, _, ending in font]).T
    assert -4 < decays.min() < -1 < decays.max() <= 0
    assert releases.min() < -0.8
    assert releases.max() > 0.8


@pytest.mark.usefixtures("font")
def test_some_training_parts_are_played_on_loops():
    looped = [any("looped" in name for name in names) for names in list_timbres(16)]
    assert 1 < sum(looped) < 12


def test_some_training_parts_are_played_on_two_varied_instruments(font, monkeypatch):
    monkeypatch.setattr(stem, "LOOPED", {"piano": 0.0})
    varied = list_timbres(12)
    assert {len(names) for names in varied} == {1, 2}
    assert len({names[0] for names in varied}) > 4
    # What is played lower is tuned up.
    for part, cents, _ in font:
        assert part.notes[0].pitch + round(cents / 100) == 60


@pytest.mark.parametrize("timbre", [FONT, NUMBERS])
def test_two_instruments_bend_together_or_not_at_all(font, timbre):
    bends = [(0.5, 1.0)]
    seen = set()
    for seed in range(16):
        font.clear()
        names = render_piano(seed, timbre, varied=True, bends=bends)[1]["timbres"]
        looped = any("looped" in name for name in names)
        seen.add((len(names), looped))
        # Where a part is looped, the font plays samples of single notes.
        bent = [part.bends for part, _, _ in font if len(part.notes) == 8 and not looped]
        assert all(found == bends for found in bent)
    assert 2 in {count for count, _ in seen}
    assert (2, True) not in seen


def test_a_stem_is_a_function_of_its_seed():
    (first, detail), (second, again) = (render_piano(7, NUMBERS, varied=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert detail == again
    assert not np.array_equal(first, render_piano(8, NUMBERS, varied=True)[0])


def test_a_doubled_part_is_the_sum_of_two_instruments(monkeypatch):
    sounds = []
    sums = []

    def play(part, duration_seconds, timbre, cents, rng):
        noise = np.random.default_rng(len(sounds)).standard_normal(44100)
        sounds.append(noise.astype(np.float32) / 4)
        return sounds[-1]

    def keep(audio, *_, **__):
        sums.append(audio)
        return audio, []

    monkeypatch.setattr(stem, "render_timbre", play)
    monkeypatch.setattr(stem, "DOUBLED", {"piano": 1.0})
    monkeypatch.setattr(stem, "LOOPED", {"piano": 0.0})
    monkeypatch.setattr(stem, "add_effects", keep)
    _, detail = render_piano(0, varied=True)
    assert len(detail["timbres"]) == 2
    first, second = sounds
    whole = sums[0].astype(np.float64)
    pair = np.stack([first, second], 1)
    shares = np.linalg.lstsq(pair, whole, rcond=None)[0]
    np.testing.assert_allclose(pair @ shares, whole, atol=1e-6)
    assert 10**-0.4 <= shares[1] * np.abs(second).max() / (shares[0] * np.abs(first).max()) <= 1


def test_a_second_part_is_softer_and_on_another_instrument(monkeypatch):
    def play(part, duration_seconds, timbre, cents, rng):
        time = np.arange(44100) / 22050
        hz = {"font": 440.0, "struck": 660.0}[timbre.name]
        heard.append((timbre.name, part.kinds))
        return np.sin(2 * np.pi * hz * time).astype(np.float32)

    heard = []
    monkeypatch.setattr(stem, "render_timbre", play)
    monkeypatch.setattr(stem, "add_effects", lambda audio, *_, **__: (audio, ["eq"]))
    first, second = (
        Part([Note(0.1, 1.0, pitch, 90)], kinds=[kind])
        for pitch, kind in ((60, "pad"), (67, "comp"))
    )
    song = Song({"piano": first}, 2.0, "test", "test", 120.0, "C", "4/4", {"piano": second})
    for seed in range(6):
        heard.clear()
        rng = Random(seed)
        audio, detail = StemRenderer(song, "piano", [FONT, NUMBERS], rng, varied=False).render()
        assert {name for name, _ in heard} == {"font", "struck"}
        assert heard[0] == (detail["timbres"][0], ["pad"])
        assert heard[1] == (detail["second"]["timbres"][0], detail["second"]["parts"])
        assert (detail["parts"], detail["second"]["effects"]) == (["pad"], ["eq"])
        # Bins of half a hertz.
        spectrum = np.abs(np.fft.rfft(audio))
        levels = {"font": spectrum[880], "struck": spectrum[1320]}
        softer_db = 20 * np.log10(levels[heard[0][0]] / levels[heard[1][0]])
        assert softer_db == pytest.approx(detail["second"]["softer_db"], abs=0.1)
        assert 0 <= softer_db <= stem.SECOND_SOFTER_DB
        assert active_rms(audio) == pytest.approx(10 ** (detail["level_db"] / 20), rel=1e-3)


def test_a_silent_instrument_is_named(monkeypatch):
    def play(part, duration_seconds, timbre, cents, rng):
        return np.zeros(44100, np.float32)

    monkeypatch.setattr(stem, "render_timbre", play)
    with pytest.raises(RuntimeError, match="piano is silent on struck, with 8 notes"):
        render_piano(0, NUMBERS, varied=False)


def test_levels_vary_by_five_decibels(monkeypatch):
    monkeypatch.setattr(stem, "render_timbre", lambda *_: np.ones(44100, np.float32))
    monkeypatch.setattr(stem, "add_effects", lambda audio, *_, **__: (audio, []))
    monkeypatch.setattr(stem, "without_rumble", lambda audio: audio)
    found = [render_piano(seed, NUMBERS, varied=False)[1]["level_db"] for seed in range(300)]
    assert np.mean(found) == pytest.approx(stem.LEVELS_DB["piano"], abs=1)
    assert np.std(found) == pytest.approx(5, abs=0.7)
    assert np.abs(np.array(found) - stem.LEVELS_DB["piano"]).max() <= 12


@pytest.mark.parametrize("kinds", [["written"], ["mma", DISTORTED]])
def test_a_guitar_is_distorted_as_its_program_says(kinds, monkeypatch):
    clean = replace(FONT, name="clean")
    driven = replace(FONT, name="driven", driven=True)
    part = Part([Note(0.1, 1.0, 60, 90)], kinds=kinds)
    song = Song({"guitar": part}, 2.0, "test", "test", 120.0, "C", "4/4")
    monkeypatch.setattr(stem, "render_timbre", lambda *_: np.ones(44100, np.float32))
    shares = []
    monkeypatch.setattr(
        stem, "add_effects", lambda audio, *rest, **_: shares.append(rest[2]) or (audio, [])
    )
    names = [
        StemRenderer(song, "guitar", [clean, driven], Random(seed), False)
        .render()[1]["timbres"][0]
        .partition("+")[0]
        for seed in range(100)
    ]
    # Two fifths of the guitars may be either; a clean one is distorted later on then.
    found = names.count("driven") + shares.count(0.8)
    assert 15 < found < 45 if kinds == ["written"] else found > 75
