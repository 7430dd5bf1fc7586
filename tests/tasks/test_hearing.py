import numpy as np
import pytest

from msdm_cli.audio.source import ArraySource
from msdm_cli.tasks import hearing
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.hearing import Heard, hear, listen

RATE = 22050
TEMPO = 96.0
FIRST = 0.25
"""Time of the first beat."""
SECONDS = 25
NEAR_BPM = 0.1
NEAR_SECONDS = 0.025
"""A frame of a sketch has 23 ms."""


def add_note(sound, seconds, hz, level, decay):
    start = round(seconds * RATE)
    time = np.arange(min(len(sound) - start, RATE // 2)) / RATE
    sound[start : start + len(time)] += (
        level * np.sin(2 * np.pi * hz * time) * np.exp(-decay * time)
    )


def play(tempo=TEMPO, first=FIRST, tonic=57, seconds=SECONDS, bar=4):
    """Minor chords of a bar each on a tonic, by its MIDI note, and a snare on each beat."""
    rng = np.random.default_rng(1)
    drums, bass, piano = np.zeros((3, seconds * RATE))
    beat = 60 / tempo
    roots = (0, 5, 7, 0)
    for number in range(int((seconds - first) / beat)):
        time = first + number * beat
        root = roots[number // bar % 4]
        start = round(time * RATE)
        length = min(2000, len(drums) - start)
        drums[start : start + length] += (
            0.1 * rng.standard_normal(length) * np.exp(-np.arange(length) / 400)
        )
        if number % bar == 0:
            add_note(bass, time, note_hz(tonic - 24 + root), 0.3, 2)
        for step in (0, 3, 7):
            add_note(piano, time, note_hz(tonic + root + step), 0.1, 4)
    return {"bass": bass, "drums": drums, "piano": piano}


def note_hz(number):
    return 440 * 2 ** ((number - 69) / 12)


def find_distance(one, other, period):
    """Between two times that come again after a period."""
    return (one - other + period / 2) % period - period / 2


def open_arrays(stems, rate=RATE):
    return {name: ArraySource(samples, rate, name) for name, samples in stems.items()}


@pytest.fixture(scope="module")
def band():
    return play()


@pytest.mark.parametrize("given", [("bass", "drums", "piano"), ("piano",), ("drums", "piano")])
def test_tempo_bar_and_key_are_heard(band, given):
    listener = listen(open_arrays({name: band[name] for name in given}))
    beat = listener.find_beat()
    assert beat.tempo == pytest.approx(TEMPO, abs=NEAR_BPM)
    assert abs(find_distance(beat.first_beat, FIRST, 4 * 60 / TEMPO)) < NEAR_SECONDS
    assert listener.find_key() == "A minor"


@pytest.mark.parametrize(("style", "heard"), [("ballad", 72), ("rock", 144), ("reggae", 72)])
def test_the_style_says_which_octave_of_a_tempo_is_meant(style, heard):
    music = open_arrays(play(144.0, FIRST, bar=8))
    controls, told = hear(music, Controls(style=style))
    assert controls.tempo == pytest.approx(heard, abs=NEAR_BPM)
    assert told.tempo == pytest.approx(heard, abs=NEAR_BPM)
    assert abs(find_distance(controls.first_beat, FIRST, 60 / 144)) < NEAR_SECONDS


@pytest.fixture
def faster(band):
    """A band that plays faster in its second half."""
    second = play(120.0, FIRST, tonic=60)
    return {name: np.concatenate((stem, second[name])) for name, stem in band.items()}


@pytest.mark.parametrize(
    ("part", "tempo", "key"),
    [((0, 10), TEMPO, "A minor"), ((35, 45), 120, "C minor"), ((50, 60), 120, "C minor")],
)
def test_tempo_and_key_are_those_around_the_part(faster, monkeypatch, part, tempo, key):
    monkeypatch.setattr(hearing, "NEAR_SECONDS", 10.0)
    controls, _ = hear(open_arrays(faster), Controls(), part)
    assert controls.tempo == pytest.approx(tempo, abs=2 * NEAR_BPM)
    assert controls.key == key
    first = FIRST + (0 if part[0] < SECONDS else SECONDS)
    assert abs(find_distance(controls.first_beat, first, 60 / tempo)) < NEAR_SECONDS


@pytest.mark.parametrize("tempo", [80.0, 90.0, 125.0, 140.0])
def test_another_tempo_begins_with_the_beat_at_which_music_ends(band, tempo):
    controls, _ = hear(open_arrays(band), Controls(tempo=tempo), (SECONDS, SECONDS + 5))
    period = 60 / TEMPO
    assert abs(find_distance(controls.first_beat, FIRST, period)) < NEAR_SECONDS
    assert SECONDS - NEAR_SECONDS <= controls.first_beat < SECONDS + period
    same, _ = hear(open_arrays(band), Controls(tempo=round(TEMPO)), (SECONDS, 30))
    assert abs(find_distance(same.first_beat, FIRST, 4 * period)) < NEAR_SECONDS


@pytest.mark.parametrize(
    ("tempo", "first", "tonic", "key"), [(127.3, 0.1, 62, "D minor"), (84.5, 0.5, 60, "C minor")]
)
def test_other_music_is_heard_too(tempo, first, tonic, key):
    listener = listen(open_arrays(play(tempo, first, tonic)))
    beat = listener.find_beat()
    assert beat.tempo == pytest.approx(tempo, abs=NEAR_BPM)
    assert listener.find_key() == key


def test_a_beat_is_found_at_a_tempo_that_is_known(band):
    beat = listen(open_arrays(band)).find_beat(TEMPO)
    assert beat.tempo == TEMPO
    assert abs(find_distance(beat.first_beat, FIRST, 60 / TEMPO)) < NEAR_SECONDS


def test_noise_has_no_tempo_and_silence_nothing():
    noise = np.random.default_rng(0).standard_normal(10 * RATE)
    assert listen(open_arrays({"guitar": noise})).find_beat() is None
    silent = listen(open_arrays({"guitar": np.zeros(10 * RATE)}))
    assert silent.find_beat() is None
    assert silent.find_beat(100.0) is None
    assert silent.find_key() is None


def test_drums_have_no_key(band):
    assert listen(open_arrays({"drums": band["drums"]})).find_key() is None


@pytest.mark.parametrize("frames", [1, 100, 511, 5000])
def test_short_stems_are_heard(frames):
    stems = {"piano": play(seconds=1)["piano"][:frames]}
    listener = listen(open_arrays(stems))
    assert listener.find_beat() is None
    listener.find_key()


def test_blocks_change_nothing(band, monkeypatch):
    usual = listen(open_arrays(band))
    monkeypatch.setattr(hearing, "BLOCK_FRAMES", 100)
    small = listen(open_arrays(band))
    assert usual.find_beat() == small.find_beat()
    assert usual.find_key() == small.find_key()


def test_only_the_first_minutes_are_heard(band, monkeypatch):
    monkeypatch.setattr(hearing, "MOST_FRAMES", 300)
    assert len(np.concatenate(listen(open_arrays(band))._onsets)) == 300


def test_what_is_asked_for_is_not_heard(band):
    sources = open_arrays(band)
    controls, heard = hear(sources, Controls(style="funk"))
    assert heard == Heard(round(controls.tempo, 2), "A minor", controls.first_beat)
    assert (controls.style, controls.key) == ("funk", "A minor")
    controls, heard = hear(sources, Controls(tempo=90.0, key="C major"))
    assert controls.first_beat is not None
    assert heard == Heard(first_beat=controls.first_beat)
    assert (controls.tempo, controls.key) == (90.0, "C major")
    known = Controls(tempo=90.0, first_beat=0.1, key="C major")
    assert hear({}, known) == (known, Heard())
    controls, heard = hear(sources, Controls(tempo=90.0, first_beat=0.1))
    assert (controls.first_beat, heard) == (0.1, Heard(key="A minor"))


def test_a_waltz_has_bars_of_three_beats():
    sources = open_arrays(play(bar=3))
    for asked in (Controls(style="waltz"), Controls(meter="3/4"), Controls(TEMPO, style="waltz")):
        controls, _ = hear(sources, asked)
        assert controls.meter == "3/4"
        assert abs(find_distance(controls.first_beat, FIRST, 3 * 60 / TEMPO)) < NEAR_SECONDS
    known = Controls(TEMPO, first_beat=FIRST, key="A minor", style="waltz")
    assert hear({}, known)[0].meter == "3/4"


def test_a_tempo_is_heard_beside_a_first_beat_that_is_asked_for(band):
    controls, heard = hear(open_arrays(band), Controls(first_beat=0.1, key="C major"))
    assert heard == Heard(tempo=round(controls.tempo, 2))
    assert controls.tempo == pytest.approx(TEMPO, abs=NEAR_BPM)
    assert controls.first_beat == 0.1


def test_other_rates_and_channels_are_heard(band):
    twice = {name: np.stack([np.repeat(stem, 2)] * 2) for name, stem in band.items()}
    controls, _ = hear(open_arrays(twice, 2 * RATE), Controls())
    assert controls.tempo == pytest.approx(TEMPO, abs=NEAR_BPM)
    assert controls.key == "A minor"
