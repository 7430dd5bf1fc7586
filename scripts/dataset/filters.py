"""Filters of audio at 22 050 Hz."""

import numpy as np
from scipy.signal import butter, sosfilt

from scripts.dataset.score import SAMPLE_RATE_HZ


def filtered(audio: np.ndarray, kind: str, edge: float | tuple[float, float]) -> np.ndarray:
    """The audio through a Butterworth filter of the second order, whose edges are in hertz."""
    return np.asarray(sosfilt(butter(2, edge, kind, fs=SAMPLE_RATE_HZ, output="sos"), audio))
