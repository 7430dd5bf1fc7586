"""Songs in the Slakh layout (``TrackNNNNN/{bass,drums,guitar,piano}.{flac,wav}``) as random, augmented crops.

A crop is a pure function of (seed, step, process, item): a run that is stopped and resumed sees the same data.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import resampy
import soundfile
from numpy.typing import NDArray

FULL_SCALE = 32768.0
SILENT_RMS = 1e-4


@dataclass(frozen=True)
class Augmentation:
    """What happens to a crop before it is shown. Songs stay songs: levels, polarity and rests.

    Stems of different songs in one crop, other tones and other speeds were tried, and were worse: such crops are easier
    than songs, or not of this world (6.26 dB after 400 steps from trained weights, 6.59 without;
    ``scripts/bench/ablations.md``).

    Attributes:
        silenced: Probability that one stem is silenced.
        gain_db: Bounds of the common gain.
        stem_gain_db: Largest gain of a single stem, up or down.
        paused: Probability that the music begins or ends within the crop.
    """

    silenced: float = 0.1
    gain_db: tuple[float, float] = (-4.0, 8.0)
    stem_gain_db: float = 2.0
    paused: float = 0.05


class Corpus:
    """All songs of one split.

    Args:
        folder: Holds the songs' folders.
        stems: Names of the stems, in order.
        sample_rate: Rate to give, in hertz; files of another rate are resampled once.
    """

    def __init__(self, folder: Path, stems: tuple[str, ...], sample_rate: int) -> None:
        self.folder, self.stems, self.sample_rate = folder, stems, sample_rate
        self.cache = folder / ".cache" / "-".join(stems)
        self.songs = sorted(
            path.name for path in folder.iterdir() if path.suffix != ".part" and self._files(path)
        )
        if not self.songs:
            raise ValueError(
                f"expected songs with the stems {', '.join(stems)} under {folder}, found none"
            )
        self._open: dict[str, NDArray[np.int16]] = {}

    def _files(self, song: Path) -> list[Path]:
        found = [
            next(
                (
                    song / f"{stem}.{ext}"
                    for ext in ("flac", "wav")
                    if (song / f"{stem}.{ext}").exists()
                ),
                None,
            )
            for stem in self.stems
        ]
        return [path for path in found if path] if all(found) else []

    def load(self, song: str) -> NDArray[np.int16]:
        """All stems of a song, memory-mapped, ``[S, T]`` in 16-bit integers."""
        if song not in self._open:
            path = self.cache / f"{song}.npy"
            rows = slice(None)
            changed = max(file.stat().st_mtime for file in self._files(self.folder / song))
            fresh = [
                other
                for other in sorted(self.cache.parent.glob(f"*/{song}.npy"))
                if other.stat().st_mtime >= changed
            ]
            for other in fresh:
                names = other.parent.name.split("-")
                if (
                    len(self.stems) == 1 and self.stems[0] in names
                ):  # decoded already, beside others
                    first = names.index(self.stems[0])
                    path, rows = other, slice(first, first + 1)
            if path not in fresh:
                self._decode(song, path)
            self._open[song] = np.load(path, mmap_mode="r")[rows]
        return self._open[song]

    def _decode(self, song: str, path: Path) -> None:
        stems = []
        for file in self._files(self.folder / song):
            samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
            mono = samples.mean(1)
            stems.append(
                mono if rate == self.sample_rate else resampy.resample(mono, rate, self.sample_rate)
            )
        length = min(map(len, stems))
        whole = np.stack(
            [np.clip(stem[:length] * FULL_SCALE, -FULL_SCALE, FULL_SCALE - 1) for stem in stems]
        )
        self.cache.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{np.random.default_rng().integers(1 << 32)}.part")
        with temporary.open("wb") as file:
            np.save(file, whole.astype(np.int16))
        temporary.replace(path)

    def crop(
        self, rng: np.random.Generator, length: int, song: str | None = None
    ) -> NDArray[np.float32]:
        """A random crop of a random (or given) song, ``[S, length]``; one that is not silent, if that is easy."""
        for _ in range(4):
            whole = self.load(song or self.songs[rng.integers(len(self.songs))])
            start = int(rng.integers(max(1, whole.shape[1] - length)))
            part = whole[:, start : start + length].astype(np.float32) / np.float32(FULL_SCALE)
            if part.shape[1] == length and np.sqrt(np.square(part).mean()) > SILENT_RMS:
                break
        return np.pad(part, ((0, 0), (0, length - part.shape[1])))

    def augmented(
        self, rng: np.random.Generator, length: int, augmentation: Augmentation
    ) -> NDArray[np.float32]:
        """A random crop with random levels, polarity and rests.

        Args:
            rng: Decides everything.
            length: In samples.
            augmentation: What may happen.

        Shape:
            ``-> [S, length]``
        """
        x, count = self.crop(rng, length), len(self.stems)
        low, high = augmentation.gain_db
        gains_db = rng.uniform(low, high) + rng.uniform(-1, 1, count) * augmentation.stem_gain_db
        gains = 10 ** (gains_db / 20) * rng.choice((-1, 1), count)
        if rng.random() < augmentation.silenced:
            gains[rng.integers(count)] = 0
        if rng.random() < augmentation.paused:
            cut = int(rng.integers(length))
            x[:, slice(cut) if rng.random() < 0.5 else slice(cut, None)] = 0
        return x * gains[:, None].astype(np.float32)
