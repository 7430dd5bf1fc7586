"""Other people's separators as their own commands set them, on random weights: for speed only."""

import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import soundfile
import torch


@dataclass(frozen=True)
class Peer:
    """How fast a peer is.

    Attributes:
        name: Its package with the version, and its model.
        times_real_time: Seconds of music in a second.
    """

    name: str
    times_real_time: float


def time_demucs(song: Path) -> Peer | None:
    """Hybrid Transformer Demucs (arXiv 2211.08553) of the size of ``htdemucs``.

    One shift and a quarter of overlap, as its command has it. None if it is not installed.
    """
    try:
        from demucs.apply import apply_model
        from demucs.htdemucs import HTDemucs
    except ImportError:
        return None
    stems = ["drums", "bass", "other", "vocals"]
    network = HTDemucs(stems, segment=7.8, t_layers=5, bottom_channels=512).eval()
    size = sum(parameter.numel() for parameter in network.parameters())
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    mixture = torch.from_numpy(samples.T.copy())[None]
    began = time.perf_counter()
    with torch.inference_mode():
        apply_model(network, mixture, shifts=1, overlap=0.25, split=True)
    seconds = time.perf_counter() - began
    name = f"demucs {version('demucs')}, htdemucs ({size / 1e6:.0f} M)"
    return Peer(name, len(samples) / rate / seconds)
