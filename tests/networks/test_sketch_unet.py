import dataclasses

import numpy as np
import pytest
import torch
from conftest import TINY_SOUND, tiny_sound

from msdm_cli.networks.sketch_unet import (
    LEAST_POWER,
    LEAST_SHARE,
    SketchUnet,
    SketchUnetConfig,
    spread_bands,
)
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.representations.sketch import (
    BANDS,
    FLOOR,
    HOP,
    LOWEST_HZ,
    MARGIN,
    SAMPLE_RATE_HZ,
    find_sketch,
)

# Single precision: a forward and an inverse transform.
ROUNDING = 5e-6

STEMS = TINY_SOUND.stems
FRAMES = 16
LENGTH = FRAMES * HOP
LEVELS = torch.tensor([-1.0, -2.0, -3.0, -4.0])
"""Of the stems, in bels."""


def untrained():
    network = SketchUnet(TINY_SOUND)
    network.sd.fill_(0.05)
    return network


def tell(levels, error=0.0):
    """A sketch that is alike in all bands and frames, with the size of its errors."""
    sketch = levels[None, :, None, None].expand(1, STEMS, BANDS, FRAMES)
    return torch.cat((sketch, torch.full((1, STEMS, 1, FRAMES), error)), 2)


def draw(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, STEMS, LENGTH, generator=generator)


@torch.no_grad()
def test_untrained_it_is_the_wiener_filter_of_the_told_power():
    power = 10**LEVELS + LEAST_SHARE * 0.05**2 + LEAST_POWER
    sigma = torch.tensor([[0.1, 0.2, 0.05, 0.01]])
    gain = power / (power + sigma**2)
    x = 0.3 * draw()
    expected = gain[:, :, None] * x
    found = untrained()(x, sigma, None, tell(LEVELS))
    torch.testing.assert_close(found, expected, atol=ROUNDING, rtol=0)


@torch.no_grad()
def test_the_told_power_holds_where_and_when_it_is_told():
    """Half of the time silent, and half of the bands: only the rest of the noise passes."""
    told = tell(torch.zeros(STEMS))
    told[..., :-1, : FRAMES // 2] = FLOOR
    sigma = torch.ones(1, STEMS)
    found = untrained()(draw(), sigma, None, told)
    middle = LENGTH // 2
    # A window and the smoothing reach three frames to both sides.
    assert found[..., : middle - 3 * HOP].abs().max() < 1e-3
    late = slice(middle + 3 * HOP, None)
    torch.testing.assert_close(found[..., late], draw()[..., late] / 2, atol=1e-3, rtol=0)
    bands = tell(torch.zeros(STEMS))
    bands[:, :, : BANDS // 2] = FLOOR
    spectrum = untrained().stft(untrained()(draw(), sigma, None, bands)).square().sum(2).mean(-1)
    boundary_hz = LOWEST_HZ * 2 ** (BANDS / 2 / 12)
    bins_hz = torch.arange(spectrum.shape[-1]) * SAMPLE_RATE_HZ / TINY_SOUND.n_fft
    below, above = spectrum[..., bins_hz < boundary_hz / 1.2], spectrum[..., bins_hz > boundary_hz]
    assert below.max() < 1e-2 * above.mean()


@torch.no_grad()
def test_a_told_sketch_leaves_the_error_that_it_promises():
    """White stems, their own sketch, and noise: the mean squared error is ``P s^2 / (P + s^2)``."""
    level, sigma, frames = 0.1, 0.1, 64
    rng = np.random.default_rng(0)
    around = level * rng.standard_normal((STEMS, frames * HOP + 2 * MARGIN), dtype=np.float32)
    sketch = torch.from_numpy(find_sketch(around))
    told = torch.cat((sketch, torch.zeros(STEMS, 1, frames)), 1)[None]
    clean = torch.from_numpy(around[None, :, MARGIN:-MARGIN])
    noisy = clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    found = untrained()(noisy, torch.full((1, STEMS), sigma), None, told)
    error = (found - clean).square().mean().item()
    # A sketch of noise is noisy itself, which costs a few per cent.
    assert error == pytest.approx(level**2 / 2, rel=0.1)


@torch.no_grad()
def test_told_nothing_it_is_the_network_without_a_sketch():
    network = tiny_sound()
    plain = StftUnet(StftUnetConfig(**_list_plain_fields()))
    state = network.state_dict()
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    x, sigma = draw(), torch.full((1, STEMS), 0.3)
    torch.testing.assert_close(network(x, sigma), plain(x, sigma), atol=0, rtol=0)


def _list_plain_fields():
    names = {field.name for field in dataclasses.fields(StftUnetConfig)}
    return {name: getattr(TINY_SOUND, name) for name in names}


@torch.no_grad()
def test_known_stems_come_back_and_others_hear_sketch_and_error():
    network = tiny_sound()
    x, sigma = 0.1 * draw(), torch.tensor([[0.3, 0.0, 0.3, 0.3]])
    found = network(x, sigma, None, tell(LEVELS))
    torch.testing.assert_close(found[:, 1], x[:, 1], atol=ROUNDING, rtol=0)
    louder = LEVELS.clone()
    louder[2] += 1
    assert (network(x, sigma, None, tell(louder))[:, [0, 2, 3]] != found[:, [0, 2, 3]]).any(2).all()
    wrong = network(x, sigma, None, tell(LEVELS, error=1.0))
    assert (wrong[:, [0, 2, 3]] != found[:, [0, 2, 3]]).any(2).all()


def test_every_weight_of_the_denoiser_is_trained():
    network = tiny_sound()
    x, sigma = draw(), torch.full((1, STEMS), 0.3)
    (network(x, sigma, None, tell(LEVELS, 0.5)) - x).square().sum().backward()
    dead = [
        name
        for name, weight in network.named_parameters()
        if not name.startswith("envelope.") and (weight.grad is None or not weight.grad.any())
    ]
    assert not dead


@torch.no_grad()
def test_another_precision_changes_little():
    network = tiny_sound()
    x, sigma = 0.1 * draw(), torch.full((1, STEMS), 0.3)
    exact = network(x, sigma, None, tell(LEVELS))
    network.cast(torch.bfloat16)
    rounded = network(x, sigma, None, tell(LEVELS))
    assert rounded.dtype == torch.float32
    # Eight bits of mantissa, in a correction of less than the told deviation of the loudest stem.
    torch.testing.assert_close(rounded, exact, atol=0.02, rtol=0)


@pytest.mark.parametrize("n_fft", [1024, 4096])
def test_each_bin_has_the_mean_of_the_bands_around_it(n_fft):
    weights = spread_bands(n_fft)
    assert weights.shape == (n_fft // 2 + 1, BANDS)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    centres = LOWEST_HZ * 2 ** (np.arange(BANDS) / 12)
    bin_hz = SAMPLE_RATE_HZ / n_fft
    for index in range(1, n_fft // 2):
        mean_hz = weights[index] @ centres
        within = centres[0] <= index * bin_hz <= centres[-1]
        # Half a bin, where bands are narrower; half a semitone, where they are wider.
        assert not within or abs(mean_hz - index * bin_hz) <= max(bin_hz / 2, 0.03 * mean_hz)
    assert weights[0].argmax() < 12
    assert weights[-1].argmax() == BANDS - 1


def test_tokens_must_be_the_frames_of_a_sketch():
    with pytest.raises(ValueError, match=f"tokens of {HOP} samples"):
        SketchUnetConfig(frames_per_token=4)
    with pytest.raises(ValueError, match="hint_channels above 0"):
        SketchUnetConfig(hint_channels=0)
