"""A small network of the package demucs with random weights, and its checkpoint."""

from fractions import Fraction

import pytest
import torch

STEMS = ("drums", "bass", "other", "vocals", "guitar", "piano")
SAMPLE_RATE = 8000
SEGMENT = Fraction(3, 2)

SETTINGS = {
    "channels": 4,
    "growth": 2,
    "nfft": 256,
    "depth": 2,
    "dconv_comp": 2,
    "t_layers": 1,
    "t_heads": 2,
    "multi_freqs": [],
    "rescale": 0.1,
}


def make_separator(stems=STEMS, seed=0):
    """The network of the package."""
    htdemucs = pytest.importorskip("demucs.htdemucs", reason="needs the package demucs")
    torch.manual_seed(seed)
    return htdemucs.HTDemucs(
        sources=list(stems),
        audio_channels=2,
        samplerate=SAMPLE_RATE,
        segment=SEGMENT,
        **SETTINGS,
    ).eval()


def serialize(separator):
    """What the package puts into a checkpoint (``demucs.states.serialize_model``)."""
    from demucs.states import get_state

    arguments, options = separator._init_args_kwargs
    return {
        "klass": type(separator),
        "args": arguments,
        "kwargs": options,
        "state": get_state(separator, quantizer=None, half=True),
        "training_args": {"seed": 42, "dset": {"sources": list(separator.sources)}},
    }


def write_demucs(path, stems=STEMS):
    """A checkpoint as its authors offer them, and the network of it."""
    separator = make_separator(stems)
    torch.save(serialize(separator), path)
    return separator
