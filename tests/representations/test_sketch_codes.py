"""Codes against bases whose answers are known, and against the network's own."""

import numpy as np
import pytest
import torch
from conftest import make_codes
from safetensors.numpy import save_file

from msdm_cli.networks.sketch_prior import SketchPrior, SketchPriorConfig
from msdm_cli.representations.sketch import CEILING, FLOOR
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN, SketchCodes, load_codes

ROUNDING = 1e-4
"""In bels: products of single precision with sums of a few hundred terms of a few bels."""

BANDS = 6
NUMBERS = BANDS * FRAMES_PER_TOKEN


def draw_sketch(stems=2, bands=BANDS, tokens=3):
    rng = np.random.default_rng(5)
    shape = (stems, bands, tokens * FRAMES_PER_TOKEN)
    return rng.uniform(-6, 0, shape).astype(np.float32)


def test_a_whole_basis_loses_nothing():
    codes = make_codes(stems=2, bands=BANDS, numbers=NUMBERS)
    sketch = draw_sketch()
    encoded = codes.encode(sketch)
    assert encoded.shape == (2, 3 * NUMBERS)
    np.testing.assert_allclose(codes.decode(encoded), sketch, atol=ROUNDING)


def test_a_part_of_a_basis_keeps_the_nearest_sketch():
    codes = make_codes(stems=1, bands=BANDS, numbers=5)
    sketch = draw_sketch(1, tokens=1)
    token = sketch.reshape(-1) - codes.mean[0]
    nearest, *_ = np.linalg.lstsq(codes.basis[0], token, rcond=None)
    np.testing.assert_allclose(codes.encode(sketch)[0], nearest, atol=ROUNDING)


def test_a_token_holds_four_frames_of_every_band():
    """With the unit vectors for a basis, codes are the frames of a band, one band after another."""
    basis = np.eye(NUMBERS, dtype=np.float32)[None]
    codes = SketchCodes(np.zeros((1, NUMBERS), np.float32), basis, np.ones((1, NUMBERS)))
    sketch = draw_sketch(1)
    encoded = codes.encode(sketch).reshape(3, BANDS, FRAMES_PER_TOKEN)
    for token in range(3):
        frames = slice(token * FRAMES_PER_TOKEN, (token + 1) * FRAMES_PER_TOKEN)
        np.testing.assert_array_equal(encoded[token], sketch[0, :, frames])


def test_decoded_sketches_stay_within_those_of_sounds():
    codes = make_codes(stems=2, bands=BANDS, numbers=4)
    decoded = codes.decode(np.full((2, 8), -100, np.float32))
    assert (decoded.min(), decoded.max()) == (FLOOR, CEILING)


def test_a_stem_alone_has_its_own_codes():
    codes = make_codes(stems=3, bands=BANDS, numbers=4)
    sketch = draw_sketch(3)
    for stem in range(3):
        row = slice(stem, stem + 1)
        alone = codes.of_stem(stem).encode(sketch[row])
        np.testing.assert_allclose(alone, codes.encode(sketch)[row], atol=ROUNDING)


@pytest.mark.parametrize("joined", [True, False])
def test_the_network_has_the_same_codes(joined, tmp_path):
    config = SketchPriorConfig(
        stems=2, bands=BANDS, coefficients=5, joined=joined, width=8, layers=1, heads=2
    )
    network = SketchPrior(config)
    codes = make_codes(stems=2, bands=BANDS, numbers=5)
    for name in ("mean", "basis", "variance"):
        getattr(network, name).copy_(torch.from_numpy(getattr(codes, name)))
    path = tmp_path / "prior.safetensors"
    save_file({name: value.numpy() for name, value in network.state_dict().items()}, path)
    loaded = load_codes(path)
    sketch = draw_sketch()
    encoded = network.encode(torch.from_numpy(sketch)[None])
    np.testing.assert_allclose(loaded.encode(sketch), encoded[0], atol=ROUNDING)
    decoded = network.decode(encoded)[0].clamp_min(FLOOR)
    np.testing.assert_allclose(loaded.decode(encoded[0].numpy()), decoded, atol=ROUNDING)
    assert loaded.numbers == 5
