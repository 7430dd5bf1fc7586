import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from msdm_cli.audio.quantise import quantise_to_sum


@given(st.integers(0, 2**32 - 1), st.sampled_from([16, 24]), st.integers(1, 6))
def test_the_integers_sum_and_no_stem_moves_by_a_unit(seed, bits, count):
    rng, scale = np.random.default_rng(seed), 2.0 ** (bits - 1)
    song = np.rint(rng.uniform(-0.9, 0.9, (2, 50)) * scale) / scale
    stems = rng.uniform(-0.2, 0.2, (count, 2, 50))
    stems[-1] = song - stems[:-1].sum(0)
    stems = stems.clip(-1, 1 - 1 / scale)
    stems[-1] = song - stems[:-1].sum(0)
    integers, _ = quantise_to_sum(stems, song.astype(np.float32), bits)
    integers >>= 32 - bits
    inside = (np.abs(stems) < 0.99).all(0)
    np.testing.assert_array_equal(integers.sum(0), np.rint(song * scale))
    assert np.abs(integers - stems * scale)[:, inside].max(initial=0) < 1


def test_what_one_stem_loses_at_full_scale_the_others_take_up():
    stems = np.array([1.3, -0.4, 0.0, 0.0])[:, None, None]
    integers, clipped = quantise_to_sum(stems, np.full((1, 1), 0.9, np.float32), 16)
    assert clipped == 1
    assert (integers >> 16).sum() == round(0.9 * 32768)
    assert (integers >> 16).max() == 32767


def test_a_song_beyond_full_scale_is_the_sum_of_stems_below_it():
    stems = np.array([0.8, 0.5, 0.03, 0.006])[:, None, None]
    integers, clipped = quantise_to_sum(stems, np.full((1, 1), 1.336, np.float32), 16)
    assert clipped == 0
    assert (integers >> 16).sum() == round(1.336 * 32768)
