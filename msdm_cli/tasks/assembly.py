"""From the stems of chunks to stems of a song, at its rate, that sum to it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunk, ChunkPlan, OverlapAdd
from msdm_cli.audio.high_band import HighBand
from msdm_cli.audio.resample import StreamResampler
from msdm_cli.audio.seams import SeamMeter, list_joins
from msdm_cli.audio.source import AudioProperties, fit_frames
from msdm_cli.audio.stem_finish import RESIDUAL
from msdm_cli.models.spec import ModelSpec
from msdm_cli.tasks.stream import StemBlock

PART_SAMPLES = 1 << 15
"""Length of a part of a core, in samples at the model's rate."""

Array = NDArray[np.float32]


class Assembly:
    """Puts the cores of chunks together again, at the song's rate.

    Args:
        spec: Of the model.
        song: What is separated.
        chunks: At the model's rate.
        stems: Those that the cores have, in order.
        residual: Whether what the model cannot hear is a stem of its own.
    """

    def __init__(
        self,
        spec: ModelSpec,
        song: AudioProperties,
        chunks: ChunkPlan,
        stems: tuple[str, ...],
        *,
        residual: bool,
    ) -> None:
        self._stems = stems
        self._song = song
        self._residual = residual
        signals = song.channels * len(stems)
        self._overlap_add = OverlapAdd(chunks, (song.channels, len(stems)))
        self._seams = SeamMeter(list_joins(chunks.chunks()))
        self._high_band = HighBand(song.sample_rate, spec.sample_rate, song.channels, len(stems))
        self._up = StreamResampler(spec.sample_rate, song.sample_rate, signals)
        self._upsampled = np.zeros((signals, 0), np.float32)

    def add(self, chunk: Chunk, core: Array, following: Chunk | None) -> Iterator[Array]:
        """Add the core of a chunk, ``[C, S, core]``, part by part: each is held several times.

        Yields:
            What no later chunk changes, ``[S, C, n]`` at the song's rate.
        """
        count = fit_frames(PART_SAMPLES, self._song.channels)
        for first in range(0, chunk.core_samples, count):
            part = core[..., first : first + count]
            last = following is None and first + count >= chunk.core_samples
            yield self._add(self._overlap_add.add(chunk, part, following, first), last=last)

    def _add(self, finished: Array, *, last: bool) -> Array:
        """Add stems at the model's rate, ``[C, S, n]``; ``last`` if no more will come."""
        self._seams.push(finished, last=last)
        self._high_band.push(finished, last=last)
        parts = [self._upsampled, self._up.push(finished.reshape(len(self._upsampled), -1))]
        if last:
            parts.append(self._up.finish(self._song.frames))
        self._upsampled = np.concatenate(parts, 1)
        # The shares of the high band are interpolated: they lag behind the stems.
        count = min(self._upsampled.shape[1], self._high_band.ready)
        shape = (self._song.channels, len(self._stems), count)
        stems = self._upsampled[:, :count].reshape(shape)
        self._upsampled = self._upsampled[:, count:]
        return stems.swapaxes(0, 1)

    def complete(self, stems: Array, song: Array) -> StemBlock:
        """Give the stems what they lack of the song, ``[S, C, n], [C, n]``."""
        exact = stems.astype(np.float64)
        mixture = song.astype(np.float64)
        residual = mixture - exact.sum(0)
        if self._residual:
            named = dict(zip(self._stems, exact, strict=True))
            return StemBlock({**named, RESIDUAL: residual}, mixture)
        completed = exact + self._high_band.share(residual)
        return StemBlock(dict(zip(self._stems, completed, strict=True)), mixture)

    def describe_seams(self) -> dict[str, object]:
        """How many joins there are, and how far the worst stand out."""
        return {"joins": len(self._seams.seams), "worst": self._seams.worst()}
