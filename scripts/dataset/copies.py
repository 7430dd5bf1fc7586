"""Finds instruments that repeat the samples of others."""

from collections.abc import Iterable

import numpy as np
import resampy

from scripts.dataset.score import SAMPLE_RATE_HZ
from scripts.dataset.zone_loops import ALIKE
from scripts.dataset.zones import Zone

PRINT_SAMPLES = 2048
READ_SECONDS = 0.4


def take_prints(zones: Iterable[Zone]) -> np.ndarray:
    """What tells samples from others, whatever their length and level.

    Shape:
        ``-> [zones, PRINT_SAMPLES]`` of norm 1
    """
    rows = []
    for zone in zones:
        beginning = zone.audio[: round(READ_SECONDS * zone.rate)]
        audio = resampy.resample(beginning, zone.rate, SAMPLE_RATE_HZ)
        row = np.pad(audio, (0, max(0, PRINT_SAMPLES - len(audio))))[:PRINT_SAMPLES]
        rows.append(row / (np.linalg.norm(row) + 1e-9))
    return np.asarray(rows, dtype=np.float32).reshape(-1, PRINT_SAMPLES)


def measure_copies(prints: np.ndarray, others: np.ndarray) -> float:
    """The share of samples that are among others, wherever these begin.

    Shape:
        ``[M, PRINT_SAMPLES], [N, PRINT_SAMPLES]``; 0 if either has none
    """
    if not len(prints) or not len(others):
        return 0.0
    spectra = np.fft.rfft(others, 2 * PRINT_SAMPLES)
    copies = [
        # Correlation with all others at all lags.
        np.abs(np.fft.irfft(np.fft.rfft(row, 2 * PRINT_SAMPLES).conj() * spectra)).max() > ALIKE
        for row in prints
    ]
    return float(np.mean(copies))
