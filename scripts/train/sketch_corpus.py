"""Songs as sketches: crops with what is known of their tempo, key and style.

A crop is a pure function of (seed, step, process, item), as those of ``scripts.train.corpus``.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.evaluation.layout import Layout
from msdm_cli.representations.sketch import BANDS, FLOOR, HOP, MARGIN, find_sketch
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN
from msdm_cli.tasks.controls import Controls
from scripts.dataset.chart import LEAD_IN_SECONDS
from scripts.dataset.groove_files import name_style
from scripts.songs import SAMPLE_RATE_HZ, STEMS

BLOCK_FRAMES = 512
SOUNDING = -5.5
"""A stem plays where a band is louder than this."""

PHRASE_TOKENS = 10
"""A rest shorter than twice this many tokens, 1.9 s, belongs to what is played."""

UNPITCHED = ("drums",)


@dataclass(frozen=True)
class SketchAugmentation:
    """What happens to a crop before it is shown.

    Attributes:
        semitones: Largest transposition, up or down.
        gain_db: Largest common gain, up or down.
        stem_gain_db: Largest gain of a single stem, up or down.
        silenced: Probability that one stem is silenced.
        untold: Probability that nothing is told of a crop.
        dropped: Probability that each of tempo, key, style and a stem's playing is not told.
    """

    semitones: int = 5
    gain_db: float = 4.0
    stem_gain_db: float = 3.0
    silenced: float = 0.05
    untold: float = 0.2
    dropped: float = 0.3


@dataclass(frozen=True)
class SketchCrop:
    """A stretch of a song.

    Attributes:
        sketch: Of each stem, ``[S, BANDS, frames]``.
        controls: What is known of it.
        first: Frame of the song that it begins with.
    """

    sketch: NDArray[np.float32]
    controls: Controls
    first: int


class SketchCorpus:
    """All songs of one split.

    Args:
        folder: Holds the songs' folders. Sketches are computed once, to ``.cache/sketch`` in it
            (those of other stems than the embedded model's beside it); then the sound may go.
        stems: Names of the stems, in order.

    Attributes:
        songs: Names of the songs.
    """

    def __init__(self, folder: Path, stems: tuple[str, ...]) -> None:
        self.folder = folder
        self.stems = stems
        self.layout = Layout(stems, SAMPLE_RATE_HZ)
        names = "sketch" if stems == STEMS else "-".join(("sketch", *stems))
        self.cache = folder / ".cache" / names
        self.songs = sorted(
            {path.stem for path in self.cache.glob("*.npy")}
            | {path.parent.name for path in folder.glob(f"*/{stems[0]}.flac")}
        )
        self._open: dict[str, tuple[NDArray[np.float16], Controls]] = {}

    def load(self, song: str) -> tuple[NDArray[np.float16], Controls]:
        """The sketch of a song, ``[S, BANDS, frames]``, and what is known of it."""
        if song not in self._open:
            path = self.cache / f"{song}.npy"
            if not path.exists():
                self._sketch(song, path)
            facts = json.loads(path.with_suffix(".json").read_text())
            self._open[song] = np.load(path, mmap_mode="r"), read_controls(facts)
        return self._open[song]

    def _sketch(self, song: str, path: Path) -> None:
        stems = self.layout.load_stems(self.folder / song)
        frames = stems.shape[1] // HOP
        padded = np.pad(stems[:, : frames * HOP], ((0, 0), (MARGIN, MARGIN)))
        blocks = [
            find_sketch(
                padded[:, start * HOP : min(start + BLOCK_FRAMES, frames) * HOP + 2 * MARGIN]
            )
            for start in range(0, frames, BLOCK_FRAMES)
        ]
        facts = self.folder / song / "metadata.json"
        self.cache.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_text(facts.read_text() if facts.exists() else "{}")
        temporary = path.with_suffix(".part")
        with temporary.open("wb") as file:
            np.save(file, np.concatenate(blocks, -1).astype(np.float16))
        temporary.replace(path)

    def crop(self, rng: np.random.Generator, frames: int, song: str | None = None) -> SketchCrop:
        """A random crop of a random (or given) song."""
        whole, controls = self.load(song or self.songs[rng.integers(len(self.songs))])
        first = int(rng.integers(max(1, whole.shape[2] - frames)))
        sketch = whole[:, :, first : first + frames].astype(np.float32)
        missing = ((0, 0), (0, 0), (0, frames - sketch.shape[2]))
        return SketchCrop(np.pad(sketch, missing, constant_values=FLOOR), controls, first)

    def augmented(
        self, rng: np.random.Generator, frames: int, augmentation: SketchAugmentation
    ) -> SketchCrop:
        """A random crop in a random key, with random levels and rests, about which less is told."""
        crop = self.crop(rng, frames)
        semitones = int(rng.integers(-augmentation.semitones, augmentation.semitones + 1))
        sketch = crop.sketch
        for stem, name in enumerate(self.stems):
            if name not in UNPITCHED:
                sketch[stem] = transpose(sketch[stem], semitones)
        common_db = rng.uniform(-1, 1) * augmentation.gain_db
        gains_db = common_db + rng.uniform(-1, 1, len(sketch)) * augmentation.stem_gain_db
        sketch = np.where(sketch > FLOOR, sketch + gains_db[:, None, None] / 10, FLOOR)
        if rng.random() < augmentation.silenced:
            sketch[rng.integers(len(sketch))] = FLOOR
        untold = rng.random() < augmentation.untold
        told = rng.random(3) >= augmentation.dropped
        known = crop.controls.transposed(semitones)
        controls = (
            Controls()
            if untold
            else replace(
                known,
                tempo=known.tempo if told[0] else None,
                key=known.key if told[1] else None,
                style=known.style if told[2] else None,
            )
        )
        return SketchCrop(np.maximum(sketch, FLOOR).astype(np.float32), controls, crop.first)


def transpose(sketch: NDArray[np.float32], semitones: int) -> NDArray[np.float32]:
    """A sketch in another key, ``[BANDS, frames]``; what moves in is like what was at the edge."""
    return sketch[np.clip(np.arange(BANDS) - semitones, 0, BANDS - 1)]


def find_playing(sketch: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each stem plays at each token, its short rests included.

    Shape:
        ``[S, BANDS, frames] -> [S, tokens]``
    """
    loudest = sketch.max(1).reshape(len(sketch), -1, FRAMES_PER_TOKEN).max(-1)
    padded = np.pad(loudest, ((0, 0), (PHRASE_TOKENS, PHRASE_TOKENS)), constant_values=FLOOR)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * PHRASE_TOKENS + 1, 1)
    playing: NDArray[np.bool_] = near.max(-1) > SOUNDING
    return playing


def read_controls(facts: dict[str, str | float]) -> Controls:
    """What the composer's metadata says of a song; nothing of songs that have none."""
    if "tempo" not in facts:
        return Controls()
    meter = str(facts["meter"])
    composed = "key" in facts
    return Controls(
        tempo=float(facts["tempo"]),
        meter=meter,
        first_beat=LEAD_IN_SECONDS,
        key=str(facts["key"]) if composed else None,
        style=name_style(str(facts["style"]), meter) if composed else None,
    )
