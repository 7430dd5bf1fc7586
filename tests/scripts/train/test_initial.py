"""First weights of a run."""

import dataclasses

import numpy as np
import pytest
import torch
from conftest import STEMS, TINY
from safetensors.torch import save_file

from msdm_cli.networks.stft_unet import StftUnet
from scripts.train.corpus import Augmentation, Corpus
from scripts.train.initial import OtherNetworkError, load_initial, measure_sd
from scripts.train.options import TrainingOptions


def build(**changes):
    return StftUnet(dataclasses.replace(TINY, **changes))


def test_blocks_and_attention_layers_may_be_more_or_fewer(tmp_path):
    trained = build()
    deeper = build(blocks=(3, 2), attention_layers=3)
    for parameter in trained.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    path = tmp_path / "best.safetensors"
    save_file(trained.state_dict(), path)
    load_initial(deeper, path)
    question = torch.randn(2, 4, 8192), torch.full((2, 4), 0.3), torch.randn(2, 8192)
    torch.testing.assert_close(deeper(*question), trained(*question))
    save_file(deeper.state_dict(), tmp_path / "deeper.safetensors")
    shallow = build()
    load_initial(shallow, tmp_path / "deeper.safetensors")
    torch.testing.assert_close(shallow(*question), trained(*question))


@pytest.mark.parametrize("changes", [{"embedding": 32}, {"channels": (8,), "blocks": (1,)}])
def test_weights_of_another_network_are_refused(tmp_path, changes):
    path = tmp_path / "best.safetensors"
    save_file(build().state_dict(), path)
    with pytest.raises(OtherNetworkError, match="of another network"):
        load_initial(build(**changes), path)


def test_measured_spectra_are_those_of_the_songs(songs):
    corpus = Corpus(songs / "train", STEMS, 22050)
    options = TrainingOptions(length=16384)
    network = StftUnet(TINY)
    still = Augmentation(silenced=0, gain_db=(0, 0), stem_gain_db=0, paused=0)
    louder = dataclasses.replace(still, gain_db=(6.0206, 6.0206))
    sd = measure_sd(corpus, network, options, still)
    torch.testing.assert_close(
        measure_sd(corpus, network, options, louder), 2 * sd, rtol=1e-3, atol=1e-4
    )
    stems = np.stack([corpus.load(song) for song in corpus.songs]) / np.float32(32768)
    power = np.square(stems).mean((0, 2))
    # Parseval: the sum over both sides of the spectrum is the power of the signal.
    found = (sd.square() * 2).sum(1).numpy() / network.stft.n_fft
    np.testing.assert_allclose(found, power, rtol=0.3)
