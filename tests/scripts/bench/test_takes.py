"""Generated takes beside songs: silence is counted, and far is farther than near."""

import numpy as np
import pytest
import soundfile

pytest.importorskip("librosa")

from scripts.bench import takes
from scripts.songs import SAMPLE_RATE_HZ, STEMS


class Means:
    """Embeds a window as the means of its seconds."""

    def embed(self, x, rate_hz):
        count = len(x) // (3 * rate_hz)
        return x[: count * 3 * rate_hz].reshape(count, 3, -1).mean(-1).astype(np.float32)


def write(path, level, seconds, noise=0.1):
    rng = np.random.default_rng(round(1000 * level))
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = level + noise * rng.standard_normal(seconds * SAMPLE_RATE_HZ)
    soundfile.write(path, samples, SAMPLE_RATE_HZ)


def test_takes_are_compared_with_songs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(takes, "Musicnn", Means)
    for song in range(4):
        for stem in STEMS:
            write(tmp_path / f"songs/Track{song:05}/{stem}.wav", 0.01 * song, 19)
    for seed in range(3):
        write(tmp_path / f"made/seed-{seed}/mixture.wav", 0.5, 9)
        for stem in STEMS:
            write(tmp_path / f"made/seed-{seed}/{stem}.wav", 0, 9, 0.1 * (stem != "bass"))
    takes.main(tmp_path / "songs", tmp_path / "made", output=tmp_path / "report.md")
    report = (tmp_path / "report.md").read_text()
    assert report == capsys.readouterr().out
    assert "9 windows" in report
    assert "too large" in report
    assert "| bass | 1.00 ± 0.00 | 0.00 |" in report
    assert "| piano | 0.00 ± 0.00 | 0.00 |" in report
    rows = [line.split(" | ") for line in report.splitlines() if line.startswith("| ")]
    distances = {name.strip("| "): float(cells[0].strip("| ")) for name, *cells in rows[-3:]}
    assert distances["generated"] > 10 * distances["other true songs"]


def test_a_folder_without_mixtures_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no mixtures"):
        takes.embed_mixtures(Means(), tmp_path)
