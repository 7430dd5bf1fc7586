"""Our loop beside the authors', on a small network of theirs."""

import numpy as np
import pytest
import torch

from msdm_cli.diffusion.samplers.msdm_paper import DiracOptions
from msdm_cli.diffusion.schedule import karras_sigmas
from msdm_cli.interface import load_model
from msdm_cli.models.adopt import adopt_checkpoints
from scripts.bench.published import CHURN, NUM_RESAMPLES, SCALE, separate_as_ours
from scripts.bench.published_loop import Noise, separate_as_published
from scripts.peer import TINY, build_peer, save_checkpoint

SINGLE_PRECISION = 1e-5
"""Of stems around 1, after six network calls."""


def test_noise_is_the_same_for_both():
    noise = Noise((1, 4, 100))
    first = noise.draw(3)
    first += 1
    assert torch.equal(noise.draw(3), Noise((1, 4, 100)).draw(3))
    assert not torch.equal(noise.draw(3), noise.draw(4))


def test_both_loops_give_the_same(tmp_path, monkeypatch):
    pytest.importorskip("audio_diffusion_pytorch")
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path))
    torch.manual_seed(0)
    peer = build_peer(TINY).eval()
    save_checkpoint(peer, TINY, tmp_path / "random.ckpt")
    adopt_checkpoints("random", [tmp_path / "random.ckpt"], "random weights", "none")
    model = load_model("random", device="cpu", precision="fp32")
    noise = Noise((1, 4, 8 * model.spec.length_multiple))
    mixture = SCALE * torch.randn(1, noise.shape[2])
    options = DiracOptions(3, 0.3, 0.1, churn=CHURN, num_resamples=NUM_RESAMPLES)
    sigmas = torch.from_numpy(karras_sigmas(3, 0.1, 0.3)).float()
    with torch.inference_mode():
        theirs = separate_as_published(peer, mixture, sigmas, noise)
        ours = separate_as_ours(model, mixture, options, noise)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=SINGLE_PRECISION)
