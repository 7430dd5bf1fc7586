"""Songs of any length: one that is repeated."""

from pathlib import Path

import resampy
import soundfile

RATE_HZ = 44100


def write_repeated(source: Path, path: Path, seconds: float) -> None:
    """Repeat a song to a length, at 44.1 kHz in 16 bits, block by block."""
    samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    once = resampy.resample(samples.T, rate, RATE_HZ).T
    with soundfile.SoundFile(path, "w", RATE_HZ, once.shape[1], "PCM_16") as file:
        left = round(seconds * RATE_HZ)
        while left:
            file.write(once[:left])
            left -= min(left, len(once))
