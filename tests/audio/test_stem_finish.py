import numpy as np
import pytest
from conftest import music

from msdm_cli.audio.formats import SUBTYPES
from msdm_cli.audio.stem_finish import MIXTURE, ScaleFinish, SumFinish, fit_gain


def stems_of(mixture):
    """Two stems in double precision that sum to a mixture."""
    first = mixture.astype(np.float64) * 0.3 + 0.01
    return {"one": first, "two": mixture - first}


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_integers_sum_to_the_mixture(subtype):
    scale = 1 << (SUBTYPES[subtype].bits - 1)
    mixture = np.rint(music(5000, 2) * scale) / scale
    finish = SumFinish(SUBTYPES[subtype], 1.0)
    written = finish.apply(stems_of(mixture), mixture)
    total = sum(value.astype(np.int64) for value in written.values())
    np.testing.assert_array_equal(total, np.rint(mixture * 2.0**31))
    assert finish.exact
    assert finish.null_db is None
    assert finish.clipped == 0


def test_floats_leave_their_rounding():
    mixture = music(5000, 2).astype(np.float64)
    finish = SumFinish(SUBTYPES["FLOAT"], 1.0)
    finish.apply(stems_of(mixture), mixture)
    assert not finish.exact
    # Half a unit of 24 bits of mantissa is 2^-25 of a sample: -150 dB; two stems round.
    assert -170 < finish.null_db < -140


def test_lossy_results_are_not_measured():
    mixture = music(5000).astype(np.float64)
    finish = SumFinish(SUBTYPES["VORBIS"], 1.0)
    finish.apply(stems_of(mixture), mixture)
    assert (finish.exact, finish.null_db) == (False, None)


def test_a_gain_is_on_stems_and_mixture():
    mixture = np.rint(music(5000) * 32768) / 32768
    finish = SumFinish(SUBTYPES["PCM_16"], 0.5)
    written = finish.apply(stems_of(mixture), mixture)
    total = sum(value >> 16 for value in written.values())
    np.testing.assert_array_equal(total, np.rint(mixture * 0.5 * 32768))
    largest = max(np.abs(stem).max() for stem in stems_of(mixture).values())
    assert finish.peak == pytest.approx(largest)


@pytest.mark.parametrize(("stay", "expected"), [(("bass",), 1.0), ((), 0.5)])
def test_scaling_may_leave_the_stems(stay, expected):
    finish = ScaleFinish(SUBTYPES["FLOAT"], 0.5, stay)
    stem = np.full((1, 4), 0.8, np.float32)
    written = finish.apply({"bass": stem}, stem * 2)
    np.testing.assert_array_equal(written["bass"], stem * np.float32(expected))
    np.testing.assert_array_equal(written[MIXTURE], stem)


def test_a_finish_that_clips_is_fitted():
    stem = np.full((1, 4), 1.5, np.float32)
    summed = SumFinish(SUBTYPES["PCM_16"])
    summed.apply({"bass": stem}, stem)
    assert summed.fit().gain == fit_gain(1.5, SUBTYPES["PCM_16"])
    quiet = ScaleFinish(SUBTYPES["PCM_16"])
    quiet.apply({"bass": stem / 2}, stem / 2)
    assert quiet.fit() is None
    loud = ScaleFinish(SUBTYPES["FLOAT"], stay=["drums"])
    loud.apply({"bass": stem}, stem)
    assert (loud.fit(), loud.mixture_only) == (None, True)


@pytest.mark.parametrize(
    ("bass", "drums", "mixture_only"), [(0.9, 1.5, True), (1.5, 0.9, False), (1.5, 1.5, False)]
)
def test_new_stems_that_would_clip_are_scaled_with_the_mixture(bass, drums, mixture_only):
    stems = {"bass": np.full((1, 4), bass), "drums": np.full((1, 4), drums)}
    finish = ScaleFinish(SUBTYPES["PCM_16"], stay=["drums"])
    finish.apply(stems, stems["bass"] + stems["drums"])
    fitted = finish.fit()
    assert (fitted.mixture_only, fitted.stay) == (mixture_only, ("drums",))
    assert fitted.gain == fit_gain(bass + drums, SUBTYPES["PCM_16"])
    written = fitted.apply(stems, stems["bass"] + stems["drums"])
    # What was given stays as it is, and is clipped if it must be.
    assert fitted.clipped == (4 if drums > 1 else 0)
    factor = 1 if mixture_only else fitted.gain
    assert written["bass"][0, 0] / 2**31 == pytest.approx(factor * bass, abs=1e-4)


def test_stems_and_mixtures_are_rounded_to_the_nearest():
    finish = ScaleFinish(SUBTYPES["PCM_16"])
    stem = np.array([[0.4, 0.6, -0.4, -0.6, 40_000.0]]) / 32768
    written = finish.apply({"bass": stem}, 2 * stem)
    assert (written["bass"] >> 16).tolist() == [[0, 1, 0, -1, 32767]]
    assert (written[MIXTURE] >> 16).tolist() == [[1, 1, -1, -1, 32767]]
    assert finish.clipped == 2


def test_a_gain_brings_the_peak_below_full_scale():
    assert fit_gain(0.9, SUBTYPES["PCM_16"]) == 1
    assert fit_gain(7.0, SUBTYPES["FLOAT"]) == 1
    assert fit_gain(2.0, SUBTYPES["PCM_16"]) * 2 == pytest.approx(1 - 4 / 32768)
    assert fit_gain(2.0, SUBTYPES["PCM_24"]) * 2 == pytest.approx(1 - 4 / 8388608)


def test_a_mix_lacks_what_it_leaves_out_to_the_last_bit():
    mixture = np.rint(music(5000, 2) * 32768) / 32768
    mixes = {"minus": {"one": 0.0}, "loud": {"one": 4.0}}
    finish = SumFinish(SUBTYPES["PCM_16"], 0.25, mixes)
    written = finish.apply(stems_of(mixture), mixture)
    np.testing.assert_array_equal(written["minus"], written["two"])
    whole = (written["loud"] >> 16) - 4 * (written["one"] >> 16)
    np.testing.assert_array_equal(whole, written["two"] >> 16)
    loudest = np.abs(4 * stems_of(mixture)["one"] + stems_of(mixture)["two"]).max()
    # Each stem was rounded, at a gain of 1/4.
    assert finish.peak == pytest.approx(loudest, abs=4 * 5 / 32768)


@pytest.mark.parametrize("gains", [{"three": 0.0}, dict.fromkeys(("one", "two"), 100.0)])
def test_a_mix_of_stems_that_would_clip_is_brought_within_full_scale(gains):
    # Clipped stems make a softer mix than they are asked to, before a gain prevents that.
    shape = music(5000, 2).astype(np.float64)
    shape /= np.abs(shape).max()
    mixture = np.rint(0.6 * shape * 32768) / 32768
    stems = {"one": 1.2 * shape, "two": 0.5 * shape, "three": mixture - 1.7 * shape}
    finish = SumFinish(SUBTYPES["PCM_16"], 1.0, {"mix": gains})
    finish.apply(stems, mixture)
    assert finish.clipped
    fitted = finish.fit()
    written = fitted.apply(stems, mixture)
    assert fitted.clipped == 0
    assert fitted.exact
    exact = sum(gains.get(name, 1.0) * fitted.gain * stem for name, stem in stems.items())
    # Each stem moves by a unit at most.
    units = sum(gains.get(name, 1.0) for name in stems)
    np.testing.assert_allclose(written["mix"] / 2**31, exact, atol=(units + 0.5) / 32768)
