"""The bench of stereo music."""

import dataclasses
import itertools

import numpy as np
import pytest
import soundfile
from conftest import CPU, make_tiny_model, music

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.interface import Model
from msdm_cli.models.spec import QUALITIES
from scripts.bench import separation, stereo
from scripts.bench.stereo import BOTH, CENTRE, DELAY_SECONDS, LEFT, RIGHT, place_stem, score_song
from scripts.songs import SAMPLE_RATE_HZ

STEM = np.random.default_rng(0).standard_normal(5 * SAMPLE_RATE_HZ).astype(np.float32)


@pytest.mark.parametrize(
    ("place", "left", "right"), [(LEFT, 1, 0), (RIGHT, 0, 1), (CENTRE, 0.5**0.5, 0.5**0.5)]
)
def test_a_stem_lies_where_it_was_placed(place, left, right):
    expected = np.outer((left, right), STEM)
    np.testing.assert_allclose(place_stem(STEM, place), expected, atol=1e-6)


def test_a_stem_on_both_sides_is_later_on_the_right():
    left, right = place_stem(STEM, BOTH)
    delay = round(DELAY_SECONDS * SAMPLE_RATE_HZ)
    np.testing.assert_allclose(left, STEM / 2, atol=1e-6)
    np.testing.assert_allclose(right[delay:], STEM[:-delay] / 2, atol=1e-6)
    assert np.abs(right[:delay]).max() < 1e-6


def test_windows_count_in_which_two_stems_sound():
    noise = np.random.default_rng(1).standard_normal((3, 2, len(STEM))).astype(np.float32)
    noise[2] = 0
    # Half of the mixture each: as good as the mixture, and no better.
    scores = score_song(np.stack([noise.sum(0) / 2] * 3), noise)
    assert [len(windows) for windows in scores] == [1, 1, 0]
    np.testing.assert_allclose(scores[0] + scores[1], 0, atol=1e-3)
    better = score_song(noise + 0.1 * noise.sum(0), noise)
    assert better[0][0] > 10


def test_it_prints_mixes_and_recordings_as_they_are_and_turned(songs, tmp_path, monkeypatch):
    tiny = make_tiny_model()
    preset = Preset.from_json({"sampler": "regression", "estimates": 2})
    stage = tiny.spec.stages[0]
    presets = {**stage.presets, "separate": dict.fromkeys(QUALITIES, preset)}
    stages = (dataclasses.replace(stage, presets=presets),)
    spec = dataclasses.replace(tiny.spec, stages=stages)
    model = Model(spec, tiny.denoisers, CPU)
    monkeypatch.setattr(separation, "load_model", lambda device: model)
    for seed, part in enumerate(("guitar", "song")):
        sound = music(4 * SAMPLE_RATE_HZ, 2, SAMPLE_RATE_HZ, seed)
        soundfile.write(tmp_path / f"{part}.ogg", sound.T, SAMPLE_RATE_HZ)
    monkeypatch.setattr(stereo, "MIXES", dict(itertools.islice(stereo.MIXES.items(), 2)))
    output = tmp_path / "stereo.md"
    stereo.main(songs / "validation", recordings=[tmp_path], seconds=2.0, limit=1, output=output)
    lines = [line.split(" | ") for line in output.read_text().splitlines()]
    rows, recording = lines[5:13], lines[-1]
    for as_it_is, turned in zip(rows[::2], rows[1::2], strict=True):
        assert as_it_is[:2] == turned[:2]
        assert as_it_is[3:] != turned[3:]
    assert recording[0] == f"| {tmp_path.name}"
    assert recording[1] != recording[2]
