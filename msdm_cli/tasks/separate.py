"""Separation: a song in, stems that sum to it out, streamed chunk by chunk.

The way of a chunk, from source to sink, is ``_separate``: it is read at the model's rate, drawn,
cross-faded with its neighbours, brought back to the song's rate, and completed by what the model
cannot hear, so that the stems sum to the song.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.chunks import Chunk, ChunkPlan
from msdm_cli.audio.level import fit_level
from msdm_cli.audio.mix import Gains, check_gains
from msdm_cli.audio.resample import resampled_length
from msdm_cli.audio.shared_reader import SharedReader
from msdm_cli.audio.song_windows import SongWindows
from msdm_cli.audio.source import AudioProperties, AudioSource, fit_frames
from msdm_cli.audio.stem_finish import RESIDUAL
from msdm_cli.diffusion.conditions import mixture_condition
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec
from msdm_cli.progress import Progress
from msdm_cli.tasks.absent import check_absent, find_absent, list_present
from msdm_cli.tasks.ahead import Ahead
from msdm_cli.tasks.assembly import Assembly
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.sampling import ChunkSampler
from msdm_cli.tasks.stream import ChunkStore, StemBlock, StemStream, TaskPlan, recall

SONG = "song"
CHANNELS_AT_ONCE = 2
"""Channels of one network call. Two of them may be turned together."""
CHANNELS_PER_CHUNK = 32
"""Songs of more channels have shorter chunks, so that memory hardly grows with their number."""
SHORTEST_CONTEXTS = 4
"""Length of the shortest of those, in contexts. Two of them are computed and thrown away."""
LARGEST_OVERLAP = 0.5
BLOCK_FRAMES = 1 << 15
"""Length of a block of stems, which are in double precision from there on."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class SeparateOptions:
    """How a song is separated.

    Attributes:
        preset: Sampler and settings.
        seed: Of the noise; None for a sampler that uses none.
        stems: The stems that are wanted; if empty, all of them, or none beside ``mixes``.
        overlap: Least share of the core of a chunk that neighbours have in common, 0 to 0.5.
        residual: Whether what the model cannot hear is a stem of its own. Otherwise the stems share
            it.
        mixes: Gains of mixes of all stems that are wanted, by their names.
        absent: Stems that the song does not have. They are silent, and none of the results.
    """

    preset: Preset
    seed: int | None = None
    stems: tuple[str, ...] = ()
    overlap: float = 0.25
    residual: bool = False
    mixes: Mapping[str, Gains] = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= LARGEST_OVERLAP:
            raise ValueError(f"expected an overlap of 0 to {LARGEST_OVERLAP}, got {self.overlap}")
        for gains in self.mixes.values():
            check_gains(gains)
        wanted = {*self.stems, *(stem for gains in self.mixes.values() for stem in gains)}
        if both := wanted.intersection(self.absent):
            raise ValueError(f"expected stems that are wanted or absent, got {min(both)} as both")


def name_outputs(spec: ModelSpec, options: SeparateOptions) -> tuple[str, ...]:
    """Names of what is written."""
    stems = options.stems or (() if options.mixes else list_present(spec, options.absent))
    return (*stems, *((RESIDUAL,) if options.residual else ()), *options.mixes)


def look(spec: ModelSpec, sources: Mapping[str, AudioSource]) -> None:
    """Have a first look at the song: for its length, and its level if the model has one.

    Raises:
        AudioError: It cannot be decoded.
    """
    sources[SONG].look(level=spec.level_db is not None)


def describe_output(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: SeparateOptions
) -> AudioProperties:
    """Rate, channels and length of the stems: those of the song."""
    return sources[SONG].properties


def plan(
    model: LoadedModel, sources: Mapping[str, AudioSource], options: SeparateOptions
) -> TaskPlan:
    """The chunks and the network calls of a separation.

    Raises:
        MissingPreset: The model cannot be told that a stem is absent, or not by that sampler.
        ValueError: An absent stem is unknown, or all are absent.
    """
    check_absent(model.spec, options.preset, options.absent)
    song = sources[SONG].properties
    batches = -(-song.channels // CHANNELS_AT_ONCE)
    return TaskPlan(
        chunks=_plan_chunks(model.spec, song, options.overlap).chunks(),
        calls_per_chunk=batches * options.preset.calls,
        batch=min(CHANNELS_AT_ONCE, song.channels),
        signals=song.channels * len(list_present(model.spec, options.absent)),
        independent=True,
    )


def _plan_chunks(spec: ModelSpec, song: AudioProperties, overlap: float) -> ChunkPlan:
    """Chunks at the model's rate; a song shorter than a chunk gets one that just holds it."""
    total = resampled_length(song.frames, song.sample_rate, spec.sample_rate)
    length = _fit_length(spec, song.channels)
    if total <= length:
        padded = -(-total // spec.length_multiple) * spec.length_multiple
        return ChunkPlan(total, padded, 0, 0)
    core = length - 2 * spec.context
    return ChunkPlan(total, length, spec.context, int(overlap * core))


def _fit_length(spec: ModelSpec, channels: int) -> int:
    """Length of a chunk of so many channels."""
    if channels <= CHANNELS_PER_CHUNK:
        return spec.chunk_length
    shared = spec.chunk_length * CHANNELS_PER_CHUNK // channels
    wanted = max(shared, SHORTEST_CONTEXTS * spec.context)
    return min(spec.chunk_length, -(-wanted // spec.length_multiple) * spec.length_multiple)


def run(
    model: LoadedModel,
    sources: Mapping[str, AudioSource],
    options: SeparateOptions,
    store: ChunkStore,
    progress: Progress,
) -> StemStream:
    """Separate a song.

    Args:
        model: The model.
        sources: The song, under ``SONG``. It is read once for a first look, and once for its
            samples.
        options: How.
        store: Keeps what was drawn of each chunk.
        progress: Receives each network call.

    Returns:
        All stems of the model but those that are absent, at the song's rate; they sum to the song.
    """
    look(model.spec, sources)
    planned = plan(model, sources, options)
    calls = Calls(progress)
    progress.start(sources[SONG].name, planned.calls)
    sampler = ChunkSampler(model, options.preset, options.seed, calls)
    stream = StemStream(iter(()), calls)
    stream.blocks = _separate(sampler, sources[SONG], options, store, stream)
    return stream


def _separate(
    sampler: ChunkSampler,
    song: AudioSource,
    options: SeparateOptions,
    store: ChunkStore,
    stream: StemStream,
) -> Iterator[StemBlock]:
    model = sampler.model
    planned = plan(model, {SONG: song}, options)
    present = list_present(model.spec, options.absent)
    absent = find_absent(model.spec, options.absent)
    draw = partial(_draw, sampler, absent, _choose_gain(model.spec, song))
    keep = partial(recall, store, skip=partial(sampler.calls.skip, planned.calls_per_chunk))
    with song.open() as reader, Ahead(model.devices, sampler.calls.stop) as threads:
        # The samples are read once: ahead for the network, and again from memory as its stems are
        # finished.
        shared = SharedReader(reader)
        windows = SongWindows(shared, model.spec.sample_rate)
        chunks = _plan_chunks(model.spec, song.properties, options.overlap)
        block_frames = fit_frames(BLOCK_FRAMES, song.properties.channels)
        assembly = Assembly(model.spec, song.properties, chunks, present, residual=options.residual)
        draws = _list_draws(planned, windows, draw, keep, (song.properties.channels, len(present)))
        followed = planned.chunks.followed()
        for (chunk, following), core in zip(followed, threads.run(draws), strict=True):
            for stems in assembly.add(chunk, core, following):
                for first in range(0, stems.shape[2], block_frames):
                    part = stems[:, :, first : first + block_frames]
                    yield assembly.complete(part, shared.read_again(part.shape[2]))
    stream.facts["seams"] = assembly.describe_seams()


def _list_draws(
    planned: TaskPlan,
    windows: SongWindows,
    draw: Callable[[int, Chunk, Array], Array],
    keep: Callable[..., Array],
    shape: tuple[int, int],
) -> Iterator[Callable[[], Array]]:
    """What gives the stems of each chunk. Its window is read when its turn comes.

    Args:
        planned: Has the chunks.
        windows: Reads them. It is asked one chunk ahead of the devices.
        draw: Draws the stems of a chunk, from its number, the chunk and its window.
        keep: Recalls them from a store, or draws and keeps them.
        shape: Channels and stems.
    """
    for index, chunk in enumerate(planned.chunks):
        drawing = partial(draw, index, chunk, windows.read(chunk.start, chunk.stop))
        yield partial(keep, index, drawing, shape=(*shape, chunk.core_samples))


def _choose_gain(spec: ModelSpec, song: AudioSource) -> np.float32:
    """The gain that brings a song to the level that the model was trained at."""
    if spec.level_db is None:
        return np.float32(1)
    return np.float32(fit_level(song.rms, spec.level_db))


def _draw(
    sampler: ChunkSampler,
    absent: NDArray[np.bool_],
    gain: np.float32,
    index: int,
    chunk: Chunk,
    window: Array,
) -> Array:
    """The stems of a chunk's core that are not absent, drawn with a gain on the song.

    Shape:
        ``[C, T] -> [C, stems that are not absent, core]``
    """
    present = np.flatnonzero(~absent)
    stems = np.empty((len(window), len(present), chunk.core_samples), np.float32)
    for first in range(0, len(window), CHANNELS_AT_ONCE):
        part = gain * window[first : first + CHANNELS_AT_ONCE]
        takes_mixture = sampler.model.takes_mixture
        condition = mixture_condition(part, takes_mixture=takes_mixture, absent=absent)
        shape = (len(part), len(absent), part.shape[1])
        drawn = sampler.draw(condition, index, chunk.start, shape)
        stems[first : first + CHANNELS_AT_ONCE] = drawn[..., chunk.core][:, present] / gain
    return stems
