import dataclasses
import zlib

import numpy as np
import pytest
from conftest import MemoryStore, replace_denoisers

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.consistent import ConsistentOptions
from msdm_cli.progress import SilentProgress
from msdm_cli.representations.sketch import HOP
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.course import Stretch
from msdm_cli.tasks.generate import GenerateOptions, run
from msdm_cli.tasks.loop import Loop
from msdm_cli.tasks.music import plan_music
from msdm_cli.tasks.stream import NoStore

RATE = 22050
CUTOFF_HZ = 50.0
JUMP = 0.1
"""Most of a step at a seam, relative to the level; others have up to 0.07. Without a relation it is
1.1."""

FINE = Preset("consistent", ConsistentOptions(num_steps=15, sigma_max=10.0, eta=0))


class SmoothPrior:
    """The exact denoiser of Gaussian stems without high frequencies: they change slowly."""

    takes_mixture = False
    shares_sigma = False

    def __call__(self, x, sigma, mixture=None, *told):
        frequencies = np.fft.rfftfreq(x.shape[2], 1 / RATE)
        shape = 1 / (1 + (frequencies / CUTOFF_HZ) ** 2) ** 3
        power = shape / shape.mean()
        gain = power / (power + sigma[:, :, None] ** 2)
        return np.fft.irfft(gain * np.fft.rfft(x), x.shape[2]).astype(np.float32)


def draw_loop(model, seconds, *, loops=True, store=None):
    sketch = model.spec.sketch_preset("generate", "default")
    options = GenerateOptions(FINE, 1, seconds, sketch, Controls(), loops=loops)
    blocks = list(run(model, {}, options, store or NoStore(), SilentProgress()))
    return np.concatenate([np.stack(list(block.stems.values()))[:, 0] for block in blocks], 1)


def draft_smoothly(sketch, first, *, has_notes=True):
    """A smooth stem, another one for each sketch."""
    rng = np.random.default_rng(zlib.crc32(sketch.tobytes()))
    noise = rng.standard_normal((1, 1, sketch.shape[1] * HOP))
    return SmoothPrior()(noise, np.ones((1, 1)))[0, 0]


def find_jump(stems):
    """The step from the last sample to the first, relative to the level; the largest of a stem."""
    return (np.abs(stems[:, 0] - stems[:, -1]) / stems.std(1)).max()


@pytest.mark.parametrize("seconds", [0.3, 0.9, 2.0])
def test_the_seam_of_a_loop_is_like_any_other_place(tiny_cascade, monkeypatch, seconds):
    # A network that has learned nothing draws a sketch of hiss, which smooth stems have not, and
    # another guesses its envelope.
    monkeypatch.setattr("msdm_cli.tasks.sound.draft_sound", draft_smoothly)
    for move in ("agree", "impose"):
        monkeypatch.setattr(f"msdm_cli.tasks.sound.{move}", lambda stems, wanted: stems)
    assert find_jump(draw_loop(tiny_cascade, seconds)) < JUMP
    # Music that does not loop breaks off.
    assert find_jump(draw_loop(tiny_cascade, seconds, loops=False)) > 10 * JUMP


def test_a_model_of_one_stage_loops_too(tiny_model):
    model = replace_denoisers(tiny_model, SmoothPrior())
    assert find_jump(draw_loop(model, 1.1)) < JUMP
    assert find_jump(draw_loop(model, 1.1, loops=False)) > 10 * JUMP


def test_the_sketch_of_what_follows_the_end_is_that_of_the_beginning(tiny_cascade):
    asked = []

    class Watched:
        takes_mixture = shares_sigma = False

        def __init__(self, denoiser):
            self._denoiser = denoiser

        def __call__(self, x, sigma, *rest):
            asked.append(sigma[0])
            return self._denoiser(x, sigma, *rest)

    opener = tiny_cascade.openers[0]
    model = dataclasses.replace(
        tiny_cascade,
        openers=(lambda stage: Watched(opener(stage)) if stage == 1 else opener(stage),),
    )
    draw_loop(model, 20_000 / RATE)
    known = asked[-1] == 0
    # With a lead of one token the loop ends in token 10. The window of the last chunk begins with
    # token 5, and what was drawn before ends with token 9. Of what follows the end, token 12 is the
    # first that is known with its margins.
    np.testing.assert_array_equal(known, [[True] * 5 + [False] * 2 + [True]] * 4)


def test_a_loop_resumes_to_the_same_samples(tiny_cascade):
    store = MemoryStore()
    whole = draw_loop(tiny_cascade, 1.2, store=store)
    for kept in ([0], [0, 3], [0, 1, 3], [0, 3, 4]):
        again = MemoryStore()
        again.chunks = {index: store.chunks[index] for index in kept}
        np.testing.assert_array_equal(draw_loop(tiny_cascade, 1.2, store=again), whole)


def test_what_is_held_of_the_beginning_is_no_more_than_is_needed(tiny_cascade):
    options = GenerateOptions(FINE, 1, 3.0)
    chunks = plan_music(tiny_cascade.spec, Stretch(100_000, loops=True), options).chunks
    heard = []

    def draw(index, chunk, given):
        heard.append(given)
        return np.arange(chunk.core_start, chunk.core_stop)[None] * np.ones((4, 1))

    lead, margin = 2048, 500
    loop = Loop(draw, chunks, lead, margin)
    drawn = [loop.draw(index, chunk, {}) for index, chunk in enumerate(chunks)]
    made = np.concatenate(drawn, 1)[0]
    count = 100_000 - lead
    np.testing.assert_array_equal(made[: count - 441], np.arange(lead, 100_000)[: count - 441])
    # The ramp leads to the beginning.
    assert made[-1] == pytest.approx(lead - 1)
    last = chunks[-1]
    follows = heard[-1][2]
    assert not any(heard[:-1])
    assert len(follows.samples) == last.stop - last.start + 2 * margin
    # What follows the end is the music after the lead.
    assert follows.known.sum() == last.stop + margin - 100_000
    np.testing.assert_array_equal(
        follows.samples[follows.known], lead + np.arange(follows.known.sum())
    )
