"""Separation of a song: streamed through the model chunk by chunk, as long as it may be."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from msdm_cli.audio.chunks import ChunkPlan, OverlapAdd
from msdm_cli.audio.files import PCM_BITS, AudioProperties, SongReader
from msdm_cli.audio.quantise import quantise_to_sum
from msdm_cli.audio.resample import StreamResampler
from msdm_cli.audio.windows import SongWindows
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.pipelines.highband import HighBand
from msdm_cli.pipelines.outputs import OutputFiles, OutputOptions, SoundShape, check_vacant
from msdm_cli.pipelines.sampling import ChunkSampler, WatchedDenoiser, calls_per_chunk, mixture_condition
from msdm_cli.progress import Progress

RESIDUAL = "residual"
CHANNELS_AT_ONCE = 2


@dataclass(frozen=True)
class SeparateOptions:
    """How a song is separated.

    Attributes:
        preset: Sampler settings.
        seed: Seed of the noise.
        stems: Which stems are written; all if empty.
        start_seconds: Where to begin.
        duration_seconds: How much to separate; to the end if None.
        overlap: Share of a chunk that neighbours have in common, 0 to 0.5.
        residual: Write what the model cannot see to a file of its own instead of sharing it out.
        output: How results are written.
    """

    preset: Preset
    seed: int
    stems: tuple[str, ...] = ()
    start_seconds: float = 0.0
    duration_seconds: float | None = None
    overlap: float = 0.25
    residual: bool = False
    output: OutputOptions = field(default_factory=OutputOptions)


@dataclass(frozen=True)
class Separated:
    """What was done.

    Attributes:
        song: The input.
        files: What was written, by name.
        properties: Of the input, as far as it was asked for.
        calls: Network calls.
        clipped: Samples that were clipped.
    """

    song: Path
    files: dict[str, Path]
    properties: AudioProperties
    calls: int
    clipped: int


def plan_files(song: Path, folder: Path, names: tuple[str, ...], file_format: str) -> dict[str, Path]:
    """Where each stem of a song goes: ``folder/song/stem.wav``."""
    return {name: folder / song.stem / f"{name}.{file_format}" for name in names}


def plan_chunks(model: Model, total: int, overlap: float) -> ChunkPlan:
    """Chunks of ``total`` samples at the model's rate; a song shorter than a chunk gets one that just holds it."""
    spec = model.spec
    if total <= spec.chunk_length:
        padded = -(-total // spec.length_multiple) * spec.length_multiple
        return ChunkPlan(total, padded, 0, 0)
    return ChunkPlan(total, spec.chunk_length, spec.context, int(overlap * (spec.chunk_length - 2 * spec.context)))


def separate_song(model: Model, song: Path, folder: Path, options: SeparateOptions, progress: Progress) -> Separated:
    """Separate a song into files.

    Args:
        model: The model.
        song: Sound file of any rate and number of channels.
        folder: Receives a folder named after the song.
        options: How.
        progress: Told of each network call.

    Raises:
        AudioError: The song cannot be read, or the stems cannot be written; no file is left behind.
        NonFiniteSamples: The network failed.
    """
    names = (options.stems or model.spec.stems) + ((RESIDUAL,) if options.residual else ())
    paths = plan_files(song, folder, names, options.output.file_format)
    check_vacant(list(paths.values()), [song], overwrite=options.output.overwrite)
    part = (options.start_seconds, options.duration_seconds)
    # The song is read twice, chunks ahead of stems: what lies between need not be held.
    with SongReader(song, *part) as ahead, SongReader(song, *part) as behind:
        properties = ahead.properties
        subtype = options.output.resolve_subtype(properties.subtype)
        shape = SoundShape(properties.sample_rate, properties.channels, properties.frames, subtype)
        with OutputFiles(paths, shape) as files:
            stream = SeparationStream(model, behind, files, options, PCM_BITS.get(subtype))
            calls = stream.run(SongWindows(ahead, model.spec.sample_rate), progress)
            clipped = files.clipped + stream.clipped
    return Separated(song, paths, properties, calls, clipped)


class SeparationStream:
    """The way of a song from reader to files. It holds about two chunks of the song at a time.

    Args:
        model: The model.
        song: The song, read as its stems are written.
        files: Receive the stems.
        options: How to separate.
        bits: Bits of an integer sample in the files, None for floats.
    """

    def __init__(
        self, model: Model, song: SongReader, files: OutputFiles, options: SeparateOptions, bits: int | None
    ) -> None:
        properties, rate = song.properties, model.spec.sample_rate
        self.model, self.song, self.files, self.options, self.bits = model, song, files, options, bits
        self.channels, self.stems = properties.channels, len(model.spec.stems)
        self.up = StreamResampler(rate, properties.sample_rate, self.channels * self.stems)
        self.high_band = HighBand(properties.sample_rate, rate, self.channels, self.stems)
        self.upsampled = np.zeros((self.channels * self.stems, 0), np.float32)
        self.clipped = 0

    def run(self, windows: SongWindows, progress: Progress) -> int:
        """Separate the whole song; gives the number of network calls."""
        plan, preset = plan_chunks(self.model, windows.total, self.options.overlap), self.options.preset
        chunks = plan.chunks()
        batches = -(-self.channels // CHANNELS_AT_ONCE)
        progress.start(self.song.path.name, len(chunks) * batches * calls_per_chunk(preset))
        denoiser = WatchedDenoiser(self.model, progress)
        noise = NoiseField(self.options.seed, self.stems)
        sampler = ChunkSampler(denoiser, preset, noise, self.model.spec)
        overlap_add = OverlapAdd(plan, (self.channels, self.stems))
        for index, chunk in enumerate(chunks):
            denoiser.chunk = index
            window = torch.from_numpy(windows.read(chunk.start, chunk.stop))
            # Two channels at a time: memory does not grow with their number.
            drawn = [
                sampler.draw(mixture_condition(denoiser, pair), chunk.start, (len(pair), self.stems, pair.shape[1]))
                for pair in torch.split(window, CHANNELS_AT_ONCE)
            ]
            stems = torch.cat(drawn).numpy()
            following = chunks[index + 1] if index + 1 < len(chunks) else None
            self._emit(overlap_add.add(chunk, stems, following), last=following is None)
        return denoiser.calls

    def _emit(self, finished: NDArray[np.float32], *, last: bool) -> None:
        """Write what is certain now, ``[C, S, n]`` at the model's rate having become so."""
        self.high_band.push(finished, last=last)
        flat = finished.reshape(self.channels * self.stems, -1)
        parts = [self.upsampled, self.up.push(flat)]
        if last:
            parts.append(self.up.finish(self.song.properties.frames))
        self.upsampled = np.concatenate(parts, 1)
        count = min(self.upsampled.shape[1], self.high_band.ready)
        stems = self.upsampled[:, :count].reshape(self.channels, self.stems, count).swapaxes(0, 1)
        self._write(stems.astype(np.float64), self.song.read(count))
        self.upsampled = self.upsampled[:, count:]

    def _write(self, stems: NDArray[np.float64], song: NDArray[np.float32]) -> None:
        """Write stems that sum to the song, ``[S, C, n], [C, n]`` at the song's rate."""
        values: NDArray[np.int32] | NDArray[np.float32]
        residual = song - stems.sum(0)
        names = list(self.model.spec.stems)
        if self.options.residual:
            stems, names = np.concatenate((stems, residual[None])), [*names, RESIDUAL]
        else:
            stems = stems + self.high_band.share(residual)
        if self.bits in (16, 24):
            values, clipped = quantise_to_sum(stems, song, self.bits)
            self.clipped += clipped
        else:
            values = stems.astype(np.float32)
        for name, value in zip(names, values, strict=True):
            if name in self.files.paths:
                self.files.write(name, value)
