"""Imputation: stems that go with given ones, of any length."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.files import AudioProperties, SongReader
from msdm_cli.audio.resample import StreamResampler
from msdm_cli.audio.windows import SongWindows
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.errors import UnsuitableAudio
from msdm_cli.jobs.journal import Journal
from msdm_cli.jobs.manifest import MANIFEST, SUFFIX
from msdm_cli.jobs.outputs import MIXTURE, OutputFiles, OutputOptions, SoundShape
from msdm_cli.jobs.run import Attempt, Done, Work, do_work
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import Progress
from msdm_cli.tasks.behind import Behind
from msdm_cli.tasks.continuation import continue_stems, plan_continuation
from msdm_cli.tasks.sampling import Calls, ChunkSampler, calls_per_chunk


@dataclass(frozen=True)
class ImputeOptions:
    """How stems are imputed.

    Attributes:
        preset: Sampler settings.
        seed: Seed of the noise; if None, that of an earlier run of the same command, or a new one.
        targets: Which stems are written.
        output: How results are written.
    """

    preset: Preset
    seed: int | None
    targets: tuple[str, ...]
    output: OutputOptions = field(default_factory=OutputOptions)


def impute_stems(
    model: Model,
    given: Mapping[str, Path],
    folder: Path,
    options: ImputeOptions,
    progress: Progress,
) -> Done:
    """Impute stems that go with the given ones, or find that this was done.

    A stem that is neither given nor a target is imputed too, since the network is joint, but not written. The model is
    mono: it hears the mean of the channels, and imputed stems are the same in every channel.

    Args:
        model: The model.
        given: Sound file of each given stem.
        folder: Receives the targets, copies of the given files, and the mixture; the latter with a gain if it would
            clip.
        options: How.
        progress: Told of each network call.

    Raises:
        AudioError: A file cannot be read or written, or the given stems differ in length or rate; nothing is left
            behind.
        NonFiniteSamples: The network failed.
    """
    copies = {name: folder / f"{name}{path.suffix}" for name, path in given.items()}
    copies = {
        name: copy for name, copy in copies.items() if copy.resolve() != given[name].resolve()
    }
    with ExitStack() as stack:
        properties = check_alike([stack.enter_context(SongReader(path)) for path in given.values()])
    subtype = options.output.resolve_subtype(properties.subtype)
    work = Work(
        task="impute",
        options=options,
        inputs=dict(given),
        paths=copies
        | {
            name: folder / f"{name}.{options.output.file_format}"
            for name in (*options.targets, MIXTURE)
        },
        manifest=folder / f"{MANIFEST}.{SUFFIX}",
        properties=properties,
        shape=SoundShape(properties.sample_rate, properties.channels, properties.frames, subtype),
        copies={name: given[name] for name in copies},
    )

    def write(files: OutputFiles, journal: Journal, seed: int, gain: float) -> Attempt:
        with ExitStack() as stack:
            ahead = {name: stack.enter_context(SongReader(path)) for name, path in given.items()}
            behind = [stack.enter_context(SongReader(path)) for path in given.values()]
            windows = {
                name: SongWindows(reader, model.spec.sample_rate) for name, reader in ahead.items()
            }
            return ImputationStream(model, behind, files, options, gain).run(
                windows, seed, journal, progress
            )

    return do_work(work, model, write)


def check_alike(readers: list[SongReader]) -> AudioProperties:
    """Properties that the given stems share, with the largest number of channels.

    Raises:
        UnsuitableAudio: Their rates, lengths or channels do not go together.
    """
    first, *others = readers
    for reader in others:
        for quantity, unit in (("sample_rate", "Hz"), ("frames", "samples")):
            one, two = getattr(first.properties, quantity), getattr(reader.properties, quantity)
            if one != two:
                raise UnsuitableAudio(
                    f"{first.path} has {one} {unit}, {reader.path} has {two}",
                    "Given stems must have the same rate and length: export them together.",
                )
    properties = first.properties
    channels = max(reader.properties.channels for reader in readers)
    for reader in readers:
        if reader.properties.channels not in (1, channels):
            raise UnsuitableAudio(
                f"{reader.path} has {reader.properties.channels} channels, another given stem has {channels}",
                "Given stems must be mono, or have the same number of channels.",
            )
    return AudioProperties(properties.sample_rate, channels, properties.frames, properties.subtype)


class ImputationStream:
    """The way from given stems to imputed ones and the mixture.

    Args:
        model: The model.
        given: The given stems, read as the mixture is written.
        files: Receive the targets and the mixture.
        options: How to impute.
        gain: Of the mixture.
    """

    def __init__(
        self,
        model: Model,
        given: list[SongReader],
        files: OutputFiles,
        options: ImputeOptions,
        gain: float,
    ) -> None:
        self.model, self.given, self.files, self.options, self.gain = (
            model,
            given,
            files,
            options,
            gain,
        )
        self.peak = 0.0
        self.stems = [model.spec.stems.index(name) for name in options.targets]
        self.up = StreamResampler(model.spec.sample_rate, files.shape.sample_rate, len(self.stems))

    def run(
        self, windows: Mapping[str, SongWindows], seed: int, journal: Journal, progress: Progress
    ) -> Attempt:
        """Impute the whole song."""
        spec, calls = self.model.spec, calls_per_chunk(self.options.preset)
        plan = plan_continuation(spec, next(iter(windows.values())).total)
        progress.start(self.given[0].path.name, len(plan) * calls)
        made = Calls(progress)
        sampler = ChunkSampler(
            self.model.keep(seed), self.options.preset, NoiseField(seed, len(spec.stems)), made
        )
        known = {spec.stems.index(name): _mono(song) for name, song in windows.items()}
        with Behind() as writing:
            for stems in continue_stems(sampler, plan, known, journal, partial(made.skip, calls)):
                writing.do(self._write, stems[self.stems])
        self._write_mixed(self.up.finish(self.files.shape.frames))
        return Attempt(self.peak, made.count)

    def _write(self, stems: NDArray[np.float32]) -> None:
        """Write targets, ``[targets, n]`` at the model's rate."""
        self._write_mixed(self.up.push(stems))

    def _write_mixed(self, stems: NDArray[np.float32]) -> None:
        """Write targets, ``[targets, n]`` at the song's rate, and the mixture of them and the given stems."""
        count, channels = stems.shape[1], self.files.shape.channels
        mixture = np.broadcast_to(stems.sum(0), (channels, count))
        for reader in self.given:
            mixture = mixture + reader.read(count)
        for name, stem in zip(self.options.targets, stems, strict=True):
            self.files.write(name, np.broadcast_to(stem, (channels, count)))
        self.peak = max(self.peak, float(np.abs(mixture).max(initial=0)))
        self.files.write(MIXTURE, np.float32(self.gain) * mixture)


def _mono(song: SongWindows) -> Callable[[int, int], NDArray[np.float32]]:
    return lambda start, stop: song.read(start, stop).mean(0)
