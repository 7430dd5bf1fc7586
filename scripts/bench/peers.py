"""Other people's separators, at the settings of their own command line, on random weights: for speed only."""

import importlib.metadata
import time
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch


@dataclass(frozen=True)
class Peer:
    """How fast a peer is.

    Attributes:
        version: Of its package.
        model: Its model.
        times_real_time: Seconds of music in a second.
    """

    version: str
    model: str
    times_real_time: float


def time_demucs(song: Path) -> Peer | None:
    """Hybrid Transformer Demucs (arXiv 2211.08553) with the size of ``htdemucs``; None if it is not installed.

    One shift and a quarter of overlap, as its command has it.
    """
    try:
        from demucs.apply import apply_model
        from demucs.htdemucs import HTDemucs
    except ImportError:
        return None
    network = HTDemucs(
        ["drums", "bass", "other", "vocals"], segment=7.8, t_layers=5, bottom_channels=512
    ).eval()
    size = sum(parameter.numel() for parameter in network.parameters())
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    mixture = torch.from_numpy(samples.T.copy())[None]
    began = time.perf_counter()
    with torch.inference_mode():
        apply_model(network, mixture, shifts=1, overlap=0.25, split=True)
    seconds = time.perf_counter() - began
    return Peer(
        importlib.metadata.version("demucs"),
        f"htdemucs ({size / 1e6:.0f} M)",
        len(samples) / rate / seconds,
    )
