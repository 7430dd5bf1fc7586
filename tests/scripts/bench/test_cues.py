"""Spectra that tell guitars from pianos are found out, and those that do not are not."""

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt

from scripts.bench import cues
from scripts.songs import SAMPLE_RATE_HZ, STEMS


def write_songs(folder, edges, count=20):
    """Songs of noise below an edge in hertz, which may be one for each stem."""
    for song in range(count):
        rng = np.random.default_rng(song)
        path = folder / f"Track{song:05}"
        path.mkdir(parents=True)
        for stem in STEMS:
            edge = edges[stem] if isinstance(edges, dict) else rng.choice(edges)
            sos = butter(2, edge * rng.uniform(0.7, 1.4), fs=SAMPLE_RATE_HZ, output="sos")
            noise = sosfilt(sos, 0.1 * rng.standard_normal(2 * SAMPLE_RATE_HZ))
            soundfile.write(path / f"{stem}.wav", noise, SAMPLE_RATE_HZ)


def read_rates(report):
    rows = [line.split("|") for line in report.read_text().splitlines() if "%" in line]
    return [int(row[3].split()[0]) for row in rows if len(row) > 3]


def test_bright_guitars_are_told_from_dull_pianos(tmp_path):
    bright = {"bass": 200, "drums": 5000, "guitar": 3000, "piano": 500}
    write_songs(tmp_path / "bright", bright)
    write_songs(tmp_path / "alike", (500, 3000))
    report = tmp_path / "report.md"
    cues.main(tmp_path / "bright", others=tmp_path / "alike", seconds=2, output=report)
    own, others = read_rates(report)
    assert own >= 95
    assert 25 <= others <= 75


def test_the_level_tells_nothing():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    np.testing.assert_allclose(
        cues.find_spectrum(noise), cues.find_spectrum(noise / 100), atol=1e-3
    )
    assert cues.find_spectrum(noise).mean() == pytest.approx(0)
