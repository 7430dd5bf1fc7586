"""Separation of a song: streamed through the model chunk by chunk, as long as it may be."""

import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunk, ChunkPlan, OverlapAdd
from msdm_cli.audio.files import PCM_BITS, SongReader
from msdm_cli.audio.high_band import HighBand
from msdm_cli.audio.quantise import quantise_to_sum
from msdm_cli.audio.resample import StreamResampler
from msdm_cli.audio.seams import SeamMeter, list_joins
from msdm_cli.audio.windows import SongWindows
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.jobs.journal import Journal
from msdm_cli.jobs.outputs import OutputFiles, OutputOptions, SoundShape
from msdm_cli.jobs.run import Attempt, Done, Work, do_work
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import Progress
from msdm_cli.tasks.ahead import Ahead
from msdm_cli.tasks.behind import Behind
from msdm_cli.tasks.sampling import Calls, ChunkSampler, calls_per_chunk, mixture_condition

RESIDUAL = "residual"
CHANNELS_AT_ONCE = 2
LOSSY = "VORBIS"


@dataclass(frozen=True)
class SeparateOptions:
    """How a song is separated.

    Attributes:
        preset: Sampler settings.
        seed: Seed of the noise; if None, that of an earlier run of the same command, or a new one.
        stems: Which stems are written; all if empty.
        start_seconds: Where to begin.
        duration_seconds: How much to separate; to the end if None.
        overlap: Share of a chunk that neighbours have in common, 0 to 0.5.
        residual: Write what the model cannot see to a file of its own instead of sharing it out.
        output: How results are written.
    """

    preset: Preset
    seed: int | None
    stems: tuple[str, ...] = ()
    start_seconds: float = 0.0
    duration_seconds: float | None = None
    overlap: float = 0.25
    residual: bool = False
    output: OutputOptions = field(default_factory=OutputOptions)


def plan_chunks(model: Model, total: int, overlap: float) -> ChunkPlan:
    """Chunks of ``total`` samples at the model's rate; a song shorter than a chunk gets one that just holds it."""
    spec = model.spec
    if total <= spec.chunk_length:
        padded = -(-total // spec.length_multiple) * spec.length_multiple
        return ChunkPlan(total, padded, 0, 0)
    return ChunkPlan(
        total,
        spec.chunk_length,
        spec.context,
        int(overlap * (spec.chunk_length - 2 * spec.context)),
    )


def separate_song(
    model: Model, song: Path, folder: Path, options: SeparateOptions, progress: Progress
) -> Done:
    """Separate a song into files, or find that this was done.

    Args:
        model: The model.
        song: Sound file of any rate and number of channels.
        folder: Receives the stems, where ``options.output.name`` says.
        options: How.
        progress: Told of each network call.

    Raises:
        AudioError: The song cannot be read, or the stems cannot be written; no file is left behind.
        NonFiniteSamples: The network failed.
    """
    names = (options.stems or model.spec.stems) + ((RESIDUAL,) if options.residual else ())
    part = (options.start_seconds, options.duration_seconds)
    with SongReader(song, *part) as reader:
        properties, tags = reader.properties, reader.tags
    subtype = options.output.resolve_subtype(properties.subtype)
    work = Work(
        task="separate",
        options=options,
        inputs={"song": song},
        paths={name: options.output.place(folder, song.stem, name) for name in names},
        manifest=options.output.place_manifest(folder, song.stem),
        properties=properties,
        shape=SoundShape(
            properties.sample_rate, properties.channels, properties.frames, subtype, tags
        ),
    )

    def write(files: OutputFiles, journal: Journal, seed: int, gain: float) -> Attempt:
        # The song is read twice, chunks ahead of stems: what lies between need not be held.
        with SongReader(song, *part) as ahead, SongReader(song, *part) as behind:
            stream = SeparationStream(model, behind, files, options, gain)
            return stream.run(SongWindows(ahead, model.spec.sample_rate), seed, journal, progress)

    return do_work(work, model, write)


class SeparationStream:
    """The way of a song from reader to files. It holds about two chunks of the song per device at a time.

    Args:
        model: The model.
        song: The song, read as its stems are written.
        files: Receive the stems.
        options: How to separate.
        gain: Of the song and all stems.
    """

    def __init__(
        self,
        model: Model,
        song: SongReader,
        files: OutputFiles,
        options: SeparateOptions,
        gain: float,
    ) -> None:
        properties, rate = song.properties, model.spec.sample_rate
        self.model, self.song, self.files, self.options, self.gain = (
            model,
            song,
            files,
            options,
            gain,
        )
        self.bits = PCM_BITS.get(files.shape.subtype)
        self.channels, self.stems = properties.channels, len(model.spec.stems)
        self.up = StreamResampler(rate, properties.sample_rate, self.channels * self.stems)
        self.high_band = HighBand(properties.sample_rate, rate, self.channels, self.stems)
        self.upsampled = np.zeros((self.channels * self.stems, 0), np.float32)
        self.seams = SeamMeter([])
        self.peak, self.clipped = 0.0, 0
        self.left, self.energy = 0.0, 0.0

    def run(self, windows: SongWindows, seed: int, journal: Journal, progress: Progress) -> Attempt:
        """Separate the whole song."""
        plan, preset = (
            plan_chunks(self.model, windows.total, self.options.overlap),
            self.options.preset,
        )
        chunks = plan.chunks()
        self.seams = SeamMeter(list_joins(chunks))
        calls = -(-self.channels // CHANNELS_AT_ONCE) * calls_per_chunk(preset)
        progress.start(self.song.path.name, len(chunks) * calls)
        made = Calls(progress)
        sampler = ChunkSampler(self.model, preset, NoiseField(seed, self.stems), made)
        overlap_add = OverlapAdd(plan, (self.channels, self.stems))
        draws = (
            partial(
                journal.recall,
                index,
                partial(self._draw, sampler, index, chunk, windows.read(chunk.start, chunk.stop)),
                partial(made.skip, calls),
                keep=len(chunks) > 1,
            )
            for index, chunk in enumerate(chunks)
        )
        with Ahead(self.model.devices, made.stop) as drawing, Behind() as writing:
            for chunk, following, core in zip(
                chunks, [*chunks[1:], None], drawing.run(draws), strict=True
            ):
                writing.do(self._emit, overlap_add, chunk, core, following)
        lossless = self.files.shape.subtype != LOSSY
        return Attempt(
            peak=self.peak,
            calls=made.count,
            exact=lossless and not self.left,
            null_db=10 * math.log10(self.left / self.energy)
            if lossless and self.left and self.energy
            else None,
            clipped=self.clipped,
            facts={"seams": {"joins": len(self.seams.seams), "worst": self.seams.worst()}},
        )

    def _draw(
        self, sampler: ChunkSampler, index: int, chunk: Chunk, window: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The stems of a chunk's core, ``[C, T] -> [C, S, core]``, two channels a call: memory is bounded."""
        drawn = []
        for pair in np.split(window, range(CHANNELS_AT_ONCE, self.channels, CHANNELS_AT_ONCE)):
            condition, shape = (
                mixture_condition(self.model.denoiser, pair),
                (len(pair), self.stems, pair.shape[1]),
            )
            drawn.append(sampler.draw(condition, index, chunk.start, shape))
        return np.concatenate(drawn)[..., chunk.core]

    def _emit(
        self,
        overlap_add: OverlapAdd,
        chunk: Chunk,
        core: NDArray[np.float32],
        following: Chunk | None,
    ) -> None:
        """Add the stems of a chunk's core, ``[C, S, core]``, and write what is certain now."""
        finished, last = overlap_add.add(chunk, core, following), following is None
        self.seams.push(finished, last=last)
        self.high_band.push(finished, last=last)
        flat = finished.reshape(self.channels * self.stems, -1)
        parts = [self.upsampled, self.up.push(flat)]
        if last:
            parts.append(self.up.finish(self.song.properties.frames))
        self.upsampled = np.concatenate(parts, 1)
        count = min(self.upsampled.shape[1], self.high_band.ready)
        stems = self.upsampled[:, :count].reshape(self.channels, self.stems, count).swapaxes(0, 1)
        self._write(stems.astype(np.float64), self.song.read(count).astype(np.float64))
        self.upsampled = self.upsampled[:, count:]

    def _write(self, stems: NDArray[np.float64], song: NDArray[np.float64]) -> None:
        """Write stems that sum to the song, ``[S, C, n], [C, n]`` at the song's rate."""
        values: NDArray[np.int32] | NDArray[np.float32]
        residual = song - stems.sum(0)
        names = list(self.model.spec.stems)
        if self.options.residual:
            stems, names = np.concatenate((stems, residual[None])), [*names, RESIDUAL]
        else:
            stems = stems + self.high_band.share(residual)
        self.peak = max(self.peak, float(np.abs(stems).max(initial=0)))
        stems, song = self.gain * stems, self.gain * song
        if self.bits in (16, 24):
            unit = 1 << (self.bits - 1)
            values, clipped = quantise_to_sum(stems, song, self.bits)
            self.clipped += clipped
            left = (values.astype(np.int64).sum(0) >> (32 - self.bits)) - np.rint(song * unit)
            self.left += float(np.square(left / unit).sum())
        else:
            values = stems.astype(np.float32)
            self.left += float(np.square(values.sum(0, dtype=np.float64) - song).sum())
        self.energy += float(np.square(song).sum())
        for name, value in zip(names, values, strict=True):
            if name in self.files.paths:
                self.files.write(name, value)
