import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.formats import SUBTYPES
from msdm_cli.audio.mix import check_gains, is_mix, mix, round_mix


def test_a_mix_is_the_weighted_sum():
    one = music(1000, 2, seed=1)
    two = music(1000, 2, seed=2)
    mixed = mix({"one": one, "two": two}, {"two": 0.5})
    np.testing.assert_allclose(mixed, one + 0.5 * two.astype(np.float64), atol=1e-12)
    np.testing.assert_array_equal(mix({"one": one, "two": two}, {"two": 0}), one)


@pytest.mark.parametrize("bits", [16, 24])
def test_integers_come_back_to_the_last_bit(bits):
    subtype = SUBTYPES[f"PCM_{bits}"]
    rng = np.random.default_rng(0)
    limit = 1 << (bits - 2)
    stems = {
        name: rng.integers(-limit, limit, (2, 500)).astype(np.int32) << (32 - bits)
        for name in ("one", "two")
    }
    written, clipped = round_mix(mix(stems, {}), subtype)
    np.testing.assert_array_equal(written, stems["one"] + stems["two"])
    assert clipped == 0


def test_what_is_beyond_full_scale_is_counted():
    written, clipped = round_mix(np.array([[1.5, -1.5, 0.5]]), SUBTYPES["PCM_16"])
    assert clipped == 2
    np.testing.assert_array_equal(written >> 16, [[32767, -32768, 16384]])
    floats, clipped = round_mix(np.array([[1.5]]), SUBTYPES["FLOAT"])
    assert (floats.dtype, floats[0, 0], clipped) == (np.float32, 1.5, 0)


def test_the_name_says_what_is_left_out():
    assert all(map(is_mix, ("without-drums", "without-bass-drums", "mix")))
    assert not is_mix("mixture")


@pytest.mark.parametrize("name", ["mix", "without-bass", "without-lead-vocals-bass"])
def test_a_mix_of_known_stems_has_their_names(name):
    assert is_mix(name, ("bass", "drums", "lead-vocals"))


@pytest.mark.parametrize("name", ["mixed", "without-you", "without-bass-you", "without-", "bass"])
def test_other_names_are_no_mixes(name):
    assert not is_mix(name, ("bass", "drums", "lead-vocals"))


@pytest.mark.parametrize("gain", [-1, float("nan"), float("inf"), 1e9])
def test_gains_that_are_none(gain):
    with pytest.raises(ValueError, match="drums"):
        check_gains({"drums": gain})
