"""What training songs are played on, with instruments that need no files."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile

pytest.importorskip("mido")
pytest.importorskip("pedalboard")
pytest.importorskip("pysfizz")
from dataset import effects, render
from dataset.looped import Sampler, render_looped
from dataset.score import SAMPLE_RATE_HZ, Note, Part, Song
from dataset.synthetic import StruckStrings, render_plucked, render_struck
from dataset.timbres import Timbre

FONT = Timbre("font", "soundfont", Path("font"), 1.0)
NUMBERS = Timbre("struck", "struck", None, 1.0)


def render_piano(seed, timbre=FONT, *, varied, bends=()):
    """The piano of a short song, and what it is made of."""
    notes = [Note(0.1 + 0.2 * index, 0.15, 60 + index, 90) for index in range(8)]
    song = Song({"piano": Part(notes, bends=list(bends))}, 2.0, "test", "test", 120.0, "C", "4/4")
    return render._render_stem(song, "piano", [timbre], Random(seed), varied=varied)


@pytest.fixture
def font(monkeypatch):
    """A sound font that nobody has to install: what it is asked to play, in order."""
    asked = []

    def play(part, duration_seconds, path, preset, cents):
        asked.append((part, cents))
        return render_struck(part, duration_seconds, cents, Random(len(asked)))

    monkeypatch.setattr(render, "render_soundfont", play)
    return asked


def test_struck_strings_sound_at_their_pitch_and_die_away():
    for seed in range(5):
        strings = StruckStrings(Random(seed))
        for hz in (110.0, 440.0, 1760.0):
            sound = strings.sound(hz, 0.7)
            assert np.abs(sound).max() == pytest.approx(1)
            assert sound[0] == 0
            assert sound[-1] == pytest.approx(0, abs=1e-3)
            halves = np.square(sound).reshape(2, -1).sum(1)
            assert halves[0] > 5 * halves[1]
    quiet, loud = (
        np.abs(np.fft.rfft(StruckStrings(Random(1)).sound(220.0, force))) for force in (0.1, 1.0)
    )
    assert loud[12000:].sum() / loud.sum() > quiet[12000:].sum() / quiet.sum()


def sample_strings(part, seconds):
    """An instrument to take samples of."""
    return render_struck(part, seconds, 0.0, Random(11))


def play_looped(part, duration_seconds, cents, rng):
    """A part on looped samples of struck strings."""
    return render_looped(part, duration_seconds, cents, rng, sample_strings)


@pytest.mark.parametrize("play", [render_struck, render_plucked, play_looped])
def test_strings_sound_where_they_are_tuned(play):
    for pitch, cents in ((45, 0.0), (69, 0.0), (64, 500.0)):
        audio = play(Part([Note(0.1, 1.5, pitch, 100)]), 2.0, cents, Random(pitch))[2000:33000]
        spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 8 * len(audio)))
        hz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)

        def level(ratio, hz=hz, spectrum=spectrum, bin_hz=SAMPLE_RATE_HZ / (8 * 31000)):
            return spectrum[
                round(0.99 * ratio * hz / bin_hz) : round(1.01 * ratio * hz / bin_hz) + 1
            ].max()

        for partial in (1, 2, 3):
            assert level(partial) > 10 * max(level(partial - 0.5), level(partial + 0.5))


@pytest.mark.parametrize("play", [render_struck, render_plucked, play_looped])
def test_notes_of_one_force_are_of_one_loudness(play):
    for seed in range(4):
        notes = [Note(0.1 + index, 0.8, 45 + index, 90) for index in range(30)]
        audio = play(Part(notes), 31.0, 0.0, Random(seed))
        levels = [
            np.abs(audio[round((0.1 + i) * SAMPLE_RATE_HZ) :][:20000]).max() for i in range(30)
        ]
        assert max(levels) < 8 * min(levels)  # 18 dB


def test_a_pedal_holds_struck_notes_until_it_is_lifted():
    notes = [Note(0.1, 0.2, 60, 90)]
    dry, held = (
        render_struck(Part(notes, pedals=p), 2.0, 0.0, Random(3))
        for p in ([], [(0.0, True), (1.5, False)])
    )
    second = slice(round(1.0 * SAMPLE_RATE_HZ), round(1.4 * SAMPLE_RATE_HZ))
    end = slice(round(1.95 * SAMPLE_RATE_HZ), None)
    assert np.square(held[second]).sum() > 100 * np.square(dry[second]).sum()
    assert np.abs(held[end]).max() < 0.1 * np.abs(held[second]).max()


def test_a_held_pitch_that_is_struck_again_does_not_pile_up():
    notes = [Note(0.1 + 0.25 * index, 0.1, 60, 90) for index in range(8)]
    audio = render_struck(Part(notes, pedals=[(0.0, True)]), 4.0, 0.0, Random(5))
    peaks = [
        np.abs(audio[round((0.1 + 0.25 * i) * SAMPLE_RATE_HZ) :][:5000]).max() for i in range(8)
    ]
    assert max(peaks) < 1.5 * peaks[0]


def test_looped_samples_repeat_and_die_away_without_a_step():
    for seed in range(8):
        sampler = Sampler([60], Random(seed), sample_strings)
        hz = min(sampler.samples, key=lambda root: abs(np.log(root / 262)))
        sound = sampler.sound(hz, 0.5)
        period = sampler.periods * SAMPLE_RATE_HZ / hz
        first = round(2 * max(sampler.attack_seconds * SAMPLE_RATE_HZ, period)) + 10000
        shift = period * round(4000 / period)
        decay = np.exp(-shift / SAMPLE_RATE_HZ / sampler.decay_seconds * (hz / 262) ** sampler.tilt)
        here = sound[first : first + 4000]
        later = np.interp(first + shift + np.arange(4000), np.arange(len(sound)), sound)
        assert np.abs(later - decay * here).max() < 0.1 * np.abs(here).max()
        assert np.abs(np.diff(sound)).max() < 3 * np.abs(np.diff(sampler.samples[hz][::4])).max()
        assert np.square(sound[-5000:]).sum() < np.square(sound[:5000]).sum()


def test_looped_notes_begin_where_they_are_written():
    notes = [Note(0.3 + index, 0.2, 50 + 5 * index, 90) for index in range(4)]
    for seed in range(4):
        audio = play_looped(Part(notes), 4.5, 0.0, Random(seed))
        for note in notes:
            start = round(note.start_seconds * SAMPLE_RATE_HZ)
            before, after = audio[start - 900 : start], audio[start : start + 900]
            assert np.abs(after).max() > 10 * np.abs(before).max()


def test_a_silent_instrument_has_no_samples():
    with pytest.raises(RuntimeError, match="silent at the pitches"):
        Sampler(
            [60],
            Random(0),
            lambda part, seconds: np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32),
        )


def test_an_instrument_of_another_size_sounds_at_the_same_pitches():
    part = Part([Note(0.0, 0.5, 57 + index, 20 + index) for index in range(30)], bends=[(0.1, 2.0)])
    found = set()
    for seed in range(400):
        resized, semitones = render._resized(part, "piano", FONT, Random(seed))
        assert [note.pitch + semitones for note in resized.notes] == [
            note.pitch for note in part.notes
        ]
        velocities = [note.velocity for note in resized.notes]
        assert velocities == sorted(velocities)
        assert 1 <= velocities[0] <= velocities[-1] <= 127
        assert resized.bends == part.bends
        found.add(semitones)
    assert found == set(range(-7, 8))  # no instrument is moved by more
    assert render._resized(part, "piano", NUMBERS, Random(0))[1] == 0


def test_only_training_varies_its_instruments(font, monkeypatch):
    for seed in range(5):
        assert render_piano(seed, varied=False)[1]["timbres"] == ["font"]
    looped = [
        any("looped" in name for name in render_piano(seed, varied=True)[1]["timbres"])
        for seed in range(40)
    ]
    assert 8 < sum(looped) < 28
    font.clear()
    monkeypatch.setattr(render, "_LOOPED", {"piano": 0.0})
    varied = [render_piano(seed, varied=True)[1]["timbres"] for seed in range(20)]
    assert {len(names) for names in varied} == {1, 2}
    assert len({names[0] for names in varied}) > 4
    assert all(
        len(render_piano(seed, varied=True, bends=[(0.5, 1.0)])[1]["timbres"]) == 1
        for seed in range(20)
    )
    for part, cents in font:  # what is played lower is tuned up
        assert part.notes[0].pitch + round(cents / 100) == 60
    for seed in range(5):
        font.clear()
        audio, about = render_piano(seed, varied=False)
        assert about["timbres"] == ["font"]
        assert [note.pitch for note in font[0][0].notes] == list(range(60, 68))
        assert render.active_rms(audio) == pytest.approx(10 ** (about["level_db"] / 20), rel=1e-3)


def test_a_stem_is_a_function_of_its_seed():
    (first, about), (second, again) = (render_piano(7, NUMBERS, varied=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert about == again
    assert not np.array_equal(first, render_piano(8, NUMBERS, varied=True)[0])


def test_validation_is_not_varied_and_training_is(monkeypatch, tmp_path):
    seen = []

    def keep(song, stem, timbres, rng, *, varied):
        seen.append(varied)
        return np.ones(round(song.duration_seconds * SAMPLE_RATE_HZ), np.float32), {"level_db": 0.0}

    monkeypatch.setattr(render, "_render_stem", keep)
    monkeypatch.setattr(render, "MMA_SHARE", 0.0)
    for split in ("train", "validation"):
        seen.clear()
        render.render_song(f"0/{split}/0", split, tmp_path)
        assert set(seen) == {split == "train"}


def test_a_doubled_part_is_the_sum_of_two_instruments(monkeypatch):
    sounds, sums = [], []

    def play(part, duration_seconds, timbre, cents, rng):
        sounds.append(
            np.random.default_rng(len(sounds)).standard_normal(44100).astype(np.float32) / 4
        )
        return sounds[-1]

    def keep(audio, *_, **__):
        sums.append(audio)
        return audio, []

    monkeypatch.setattr(render, "_render_timbre", play)
    monkeypatch.setattr(render, "_DOUBLED", {"piano": 1.0})
    monkeypatch.setattr(render, "_LOOPED", {"piano": 0.0})
    monkeypatch.setattr(render, "add_effects", keep)
    _, about = render_piano(0, varied=True)
    assert len(about["timbres"]) == 2
    (first, second), whole = sounds, sums[0].astype(np.float64)
    shares = np.linalg.lstsq(np.stack([first, second], 1), whole, rcond=None)[0]
    np.testing.assert_allclose(np.stack([first, second], 1) @ shares, whole, atol=1e-6)
    assert 10**-0.4 <= shares[1] * np.abs(second).max() / (shares[0] * np.abs(first).max()) <= 1


@pytest.fixture
def cabinets(monkeypatch, tmp_path):
    """Two loudspeakers in files, of which one delays by 1000 samples."""
    effects._cabinets.cache_clear()
    monkeypatch.setattr(effects, "CABINETS", tmp_path)
    (tmp_path / "amps").mkdir()
    for name, delay in (("a", 0), ("b", 1000)):
        response = np.zeros(2000)
        response[delay] = 0.7
        soundfile.write(tmp_path / "amps" / f"{name}.wav", response, SAMPLE_RATE_HZ)
    yield
    effects._cabinets.cache_clear()


def driven(stem, seed, *, varied):
    """A chord through a chain that distorts, and the names of its effects."""
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * seconds) for hz in (110.0, 165.0)).astype(np.float32) / 4
    return effects.add_effects(chord, stem, Random(seed), 1.0, varied=varied)


@pytest.mark.usefixtures("cabinets")
def test_only_guitars_of_training_songs_have_amplifiers():
    share = sum("amplifier" in driven("guitar", seed, varied=True)[1] for seed in range(40)) / 40
    assert 0.5 < share < 0.9
    assert all("amplifier" not in driven("guitar", seed, varied=False)[1] for seed in range(40))
    assert all("amplifier" not in driven("bass", seed, varied=True)[1] for seed in range(40))


@pytest.mark.usefixtures("cabinets")
def test_an_amplifier_clips_and_ends_in_a_loudspeaker():
    audio = np.sin(np.arange(4 * SAMPLE_RATE_HZ) / 10).astype(np.float32) / 4
    starts = set()
    for seed in range(20):
        amplified = effects._amplified(audio, Random(seed))
        assert amplified.shape == audio.shape
        assert amplified.dtype == np.float32
        assert np.abs(amplified).max() == pytest.approx(0.5)
        starts.add(int(np.flatnonzero(np.abs(amplified) > 1e-3)[0]) // 500)
        spectrum = np.abs(np.fft.rfft(amplified[SAMPLE_RATE_HZ:] * np.hanning(3 * SAMPLE_RATE_HZ)))
        first = round(
            SAMPLE_RATE_HZ / (20 * np.pi) * 3
        )  # its third harmonic is what clipping makes of a sine
        assert (
            spectrum[3 * first - 5 : 3 * first + 6].max()
            > 0.05 * spectrum[first - 5 : first + 6].max()
        )
    assert starts == {0, 2}


def test_without_loudspeakers_it_is_said_which_package_has_them(monkeypatch, tmp_path):
    effects._cabinets.cache_clear()
    monkeypatch.setattr(effects, "CABINETS", tmp_path)
    with pytest.raises(FileNotFoundError, match="guitarix-common"):
        effects._cabinets()
