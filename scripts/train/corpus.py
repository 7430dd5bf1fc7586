"""Songs as random, augmented crops.

A crop is a pure function of (seed, step, process, item): a run that is stopped and resumed sees
the same data.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.evaluation.layout import Layout
from scripts.songs import list_songs

FULL_SCALE = 32768.0
SILENT_RMS = 1e-4
ATTEMPTS = 4
"""How often a crop is drawn anew because it was silent."""


@dataclass(frozen=True)
class Augmentation:
    """What happens to a crop before it is shown. Songs stay songs: levels, polarity and rests.

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
        folder: Holds the songs' folders. Songs are decoded once, to ``.cache`` in it.
        stems: Names of the stems, in order.
        sample_rate: Rate to give, in hertz; files of another rate are resampled once.

    Attributes:
        songs: Names of the songs' folders.

    Raises:
        NoSongs: No song has all these stems.
    """

    def __init__(self, folder: Path, stems: tuple[str, ...], sample_rate: int) -> None:
        self.folder = folder
        self.stems = stems
        self.layout = Layout(stems, sample_rate)
        self.cache = folder / ".cache" / "-".join(stems)
        self.songs = [path.name for path in list_songs(folder, self.layout)]
        self._open: dict[str, NDArray[np.int16]] = {}

    def load(self, song: str) -> NDArray[np.int16]:
        """All stems of a song, memory-mapped, ``[S, T]`` in 16-bit integers."""
        if song not in self._open:
            path, rows = self._find_decoded(song)
            self._open[song] = np.load(path, mmap_mode="r")[rows]
        return self._open[song]

    def _find_decoded(self, song: str) -> tuple[Path, slice]:
        """The file of a decoded song, and the rows of our stems in it.

        A single stem is also found in a file that was decoded for all stems together.
        """
        files = self.layout.find_stems(self.folder / song)
        changed = max(file.stat().st_mtime for file in files.values())
        own = self.cache / f"{song}.npy"
        decoded = sorted(self.cache.parent.glob(f"*/{song}.npy"))
        fresh = [path for path in decoded if path.stat().st_mtime >= changed]
        if len(self.stems) == 1:
            for path in fresh:
                names = path.parent.name.split("-")
                if self.stems[0] in names:
                    first = names.index(self.stems[0])
                    return path, slice(first, first + 1)
        if own not in fresh:
            self._decode(song, own)
        return own, slice(None)

    def _decode(self, song: str, path: Path) -> None:
        stems = self.layout.load_stems(self.folder / song)
        whole = np.clip(stems * FULL_SCALE, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        self.cache.mkdir(parents=True, exist_ok=True)
        # Several processes may decode the same song: each writes a file of its own.
        temporary = path.with_suffix(f".{np.random.default_rng().integers(1 << 32)}.part")
        with temporary.open("wb") as file:
            np.save(file, whole)
        temporary.replace(path)

    def crop(
        self, rng: np.random.Generator, length: int, song: str | None = None
    ) -> NDArray[np.float32]:
        """A random crop of a random (or given) song, not a silent one if that is easy.

        Shape:
            ``-> [S, length]``
        """
        for _ in range(ATTEMPTS):
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
        x = self.crop(rng, length)
        count = len(self.stems)
        low, high = augmentation.gain_db
        gains_db = rng.uniform(low, high) + rng.uniform(-1, 1, count) * augmentation.stem_gain_db
        gains = 10 ** (gains_db / 20) * rng.choice((-1, 1), count)
        if rng.random() < augmentation.silenced:
            gains[rng.integers(count)] = 0
        if rng.random() < augmentation.paused:
            cut = int(rng.integers(length))
            x[:, slice(cut) if rng.random() < 0.5 else slice(cut, None)] = 0
        return x * gains[:, None].astype(np.float32)
