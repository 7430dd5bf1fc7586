"""Figures of music: onsets, harmony, loudness, pulse, and distance of spectra."""

from collections.abc import Sequence

import librosa
import numpy as np
import scipy.linalg
import scipy.stats
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples

RATE_HZ = 22050
HOP = 512
MELS = 64
SILENT_DB = -50.0
SILENCE_FRAME = 2048
BEAT_SECONDS = (0.25, 1.5)


def find_onsets(x: Samples) -> NDArray[np.float64]:
    """Onset strength over time, ``[T] -> [frames]``."""
    strength: NDArray[np.float64] = librosa.onset.onset_strength(y=x, sr=RATE_HZ, hop_length=HOP)
    return strength


def measure_onset_agreement(x: Samples, y: Samples) -> float:
    """Correlation of onset strengths; 0 if one never changes."""
    first = find_onsets(x)
    second = find_onsets(y)
    if min(first.std(), second.std()) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def measure_chroma_agreement(x: Samples, y: Samples) -> float:
    """Mean cosine of chroma vectors."""
    first, second = (
        librosa.feature.chroma_stft(y=z, sr=RATE_HZ, hop_length=HOP, norm=2) for z in (x, y)
    )
    return float((first * second).sum(0).mean())


def log_mel(signals: Sequence[Samples]) -> NDArray[np.float64]:
    """Frames of log-mel spectra in dB, ``[frames, MELS]``."""
    spectra = [
        librosa.feature.melspectrogram(y=x, sr=RATE_HZ, hop_length=HOP, n_mels=MELS)
        for x in signals
    ]
    levels: NDArray[np.float64] = 10 * np.log10(np.concatenate(spectra, 1).T + 1e-6)
    return levels


def frechet_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Frechet distance of the Gaussians fitted to two sets of frames.

    Source: Dowson and Landau 1982: ``|m_x - m_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2))``.
    """
    (mean_x, cov_x), (mean_y, cov_y) = ((z.mean(0), np.cov(z.T)) for z in (x, y))
    root = scipy.linalg.sqrtm(cov_x @ cov_y).real
    distance = np.square(mean_x - mean_y).sum() + np.trace(cov_x + cov_y - 2 * root)
    # Rounding may leave it below 0. NaN stays NaN.
    return float(np.maximum(0.0, distance))


def level_db(x: Samples) -> float:
    """Root mean square in dB of full scale."""
    return float(10 * np.log10(np.square(x, dtype=np.float64).mean() + 1e-12))


def measure_silence(x: Samples) -> float:
    """Share of frames below -50 dB of full scale."""
    frames = librosa.util.frame(x, frame_length=SILENCE_FRAME, hop_length=SILENCE_FRAME)
    levels = 10 * np.log10(np.square(frames).mean(0) + 1e-12)
    return float((levels < SILENT_DB).mean())


def measure_pulse(x: Samples) -> float:
    """Highest autocorrelation of onset strength at the lags of a beat; 1 for a metronome."""
    strength = find_onsets(x)
    correlation = librosa.autocorrelate(strength - strength.mean())
    low, high = (round(seconds * RATE_HZ / HOP) for seconds in BEAT_SECONDS)
    return float(correlation[low:high].max() / (correlation[0] + 1e-9))


def measure_chance(own: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Probability that ``own`` is larger than ``others`` by chance (Wilcoxon signed-rank test)."""
    return float(scipy.stats.wilcoxon(own, others, alternative="greater").pvalue)
