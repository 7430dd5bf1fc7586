import numpy as np
import pytest

from msdm_cli.audio.high_band import FRAME, HighBand


def share(stems, residual, cuts, rate=44100, model_rate=22050):
    band, parts, given = HighBand(rate, model_rate, *stems.shape[:2]), [], 0
    blocks = np.split(stems, cuts, axis=2)
    for index, block in enumerate(blocks):
        band.push(block, last=index == len(blocks) - 1)
        count = min(band.ready, residual.shape[1] - given)
        parts.append(band.share(residual[:, given : given + count]))
        given += count
    return np.concatenate(parts, 2)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("length", [1, FRAME, 5 * FRAME + 3])
def test_all_of_it_is_shared_out(length):
    residual = noise(2, 2 * length).astype(np.float64)
    shared = share(noise(2, 4, length), residual, [])
    assert shared.shape == (4, 2, 2 * length)
    np.testing.assert_allclose(shared.sum(0), residual, atol=1e-12)


def test_it_does_not_depend_on_how_the_song_is_cut():
    stems, residual = noise(1, 4, 9000), noise(1, 18_000).astype(np.float64)
    np.testing.assert_array_equal(
        share(stems, residual, []), share(stems, residual, [1, 700, 701, 3000, 3512, 8999])
    )


def test_the_bright_stem_gets_it():
    stems = noise(1, 2, 20 * FRAME)
    stems[:, 0] *= 1e-3
    shared = share(stems, noise(1, 40 * FRAME).astype(np.float64), [])
    assert np.square(shared[1]).sum() > 1e5 * np.square(shared[0]).sum()


def test_what_rests_gets_nothing():
    stems = noise(1, 2, 20 * FRAME)
    stems[:, 0, : 10 * FRAME] = 0
    shared = share(stems, np.ones((1, 40 * FRAME)), [])[0, 0]
    assert shared[: 16 * FRAME].max() < 1e-6
    assert shared[22 * FRAME :].min() > 0.3
