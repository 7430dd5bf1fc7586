"""The Python interface: a model that separates, imputes and generates.

    from msdm_cli import load_model

    model = load_model()
    stems = model.separate("song.wav")                       # {"bass": [C, T], "drums": ...}
    stems = model.separate(samples, 44100)                   # an array [C, T] or [T]
    piano = model.impute({"drums": "drums.wav"}, targets=["piano"])["piano"]
    music = model.generate(12.0, seed=1)

Each method has a twin that yields blocks, for sound that does not fit into memory.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.finish import MIXTURE
from msdm_cli.audio.source import ArraySource, AudioSource
from msdm_cli.backends.runtime import AUTO, Runtime
from msdm_cli.models.load import LoadedModel, load
from msdm_cli.models.registry import EMBEDDED
from msdm_cli.progress import Progress, SilentProgress
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.impute import ImputeOptions
from msdm_cli.tasks.separate import SONG, SeparateOptions
from msdm_cli.tasks.stream import NoStore, StemBlock, StemStream
from msdm_cli.tasks.table import TASKS

Sound = str | os.PathLike[str] | NDArray[Any]
"""A path, or samples ``[C, T]`` or ``[T]``; full scale is 1."""

Stems = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Model(LoadedModel):
    """A model on a device, ready to be asked.

    Three methods return arrays by stem name, ``[C, T]`` each; their twins ``..._blocks`` yield them
    in blocks that follow each other. Results do not depend on which twin is used.
    """

    def separate(
        self,
        song: Sound,
        sample_rate: int | None = None,
        *,
        quality: str = "default",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Stems:
        """Separate a song into stems that sum to it.

        Args:
            song: A path, or samples.
            sample_rate: Of the samples, in hertz; a file has its own.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise. Presets that use none ignore it.
            progress: Receives each network call.

        Returns:
            All stems of the model by name, ``[C, T]`` each at the song's rate. A song ``[T]`` gives
            stems ``[T]``. The last bits of the sum are those of single precision.

        Raises:
            AudioError: The song cannot be read, or holds no samples or a NaN.
            MissingPreset: The model has no preset of that name.
            NonFiniteSamples: The network failed.
            ValueError: Samples come without a rate, or in another shape.
        """
        blocks = self.separate_blocks(
            song, sample_rate, quality=quality, seed=seed, progress=progress
        )
        return _flatten(song, _concatenate(blocks, with_mixture=False))

    def separate_blocks(
        self,
        song: Sound,
        sample_rate: int | None = None,
        *,
        quality: str = "default",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[StemBlock]:
        """Separate a song in blocks; arguments and errors are those of ``separate``.

        Yields:
            Consecutive blocks in double precision, whose stems sum to their mixture, the song.
        """
        options = SeparateOptions(self.spec.preset("separate", quality), seed)
        return self._run("separate", {SONG: _open(song, sample_rate, SONG)}, options, progress)

    def impute(
        self,
        given: Mapping[str, Sound],
        sample_rate: int | None = None,
        *,
        targets: Sequence[str] = (),
        quality: str = "default",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Stems:
        """Impute stems that go with given ones.

        Args:
            given: Paths or samples by stem name; of one rate and length.
            sample_rate: Of the samples, in hertz; files have their own.
            targets: Stems to impute; all that are not given, if empty.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise.
            progress: Receives each network call.

        Returns:
            The targets by name, and ``mixture``: given and imputed stems together, ``[C, T]`` each.

        Raises:
            AudioError: A given stem cannot be read, or they do not go together.
            MissingPreset: The model has no preset of that name, or does not impute.
            NonFiniteSamples: The network failed.
            ValueError: A stem is not one of the model's, or is both given and a target.
        """
        blocks = self.impute_blocks(
            given, sample_rate, targets=targets, quality=quality, seed=seed, progress=progress
        )
        return _concatenate(blocks, with_mixture=True)

    def impute_blocks(
        self,
        given: Mapping[str, Sound],
        sample_rate: int | None = None,
        *,
        targets: Sequence[str] = (),
        quality: str = "default",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[StemBlock]:
        """Impute stems in blocks; arguments and errors are those of ``impute``.

        Yields:
            Consecutive blocks of the targets and the mixture.
        """
        missing = [name for name in self.spec.stems if name not in given]
        # A stem that is named twice is imputed once.
        wanted = tuple(dict.fromkeys(targets or missing))
        _check_stems(self.spec.stems, tuple(given), wanted)
        options = ImputeOptions(self.spec.preset("impute", quality), seed, wanted)
        sources = {name: _open(sound, sample_rate, name) for name, sound in given.items()}
        return self._run("impute", sources, options, progress)

    def generate(
        self,
        seconds: float,
        *,
        quality: str = "default",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Stems:
        """Generate music with its stems.

        Args:
            seconds: Length.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise.
            progress: Receives each network call.

        Returns:
            All stems of the model and ``mixture``, their sum, ``[1, T]`` each at the model's rate,
            ``model.spec.sample_rate``.

        Raises:
            MissingPreset: The model has no preset of that name, or does not generate.
            NonFiniteSamples: The network failed.
            UnsuitableAudio: The length is less than a sample.
        """
        blocks = self.generate_blocks(seconds, quality=quality, seed=seed, progress=progress)
        return _concatenate(blocks, with_mixture=True)

    def generate_blocks(
        self,
        seconds: float,
        *,
        quality: str = "default",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[StemBlock]:
        """Generate music in blocks; arguments and errors are those of ``generate``.

        Yields:
            Consecutive blocks of the stems and their sum.
        """
        options = GenerateOptions(self.spec.preset("generate", quality), seed, seconds)
        return self._run("generate", {}, options, progress)

    def _run(
        self,
        task: str,
        sources: Mapping[str, AudioSource],
        options: Any,
        progress: Progress | None,
    ) -> Iterator[StemBlock]:
        row = TASKS[task]
        stream = row.run(self, sources, options, NoStore(), progress or SilentProgress())
        return _stream(stream)


def load_model(
    name: str = EMBEDDED,
    *,
    device: str = AUTO,
    backend: str = AUTO,
    precision: str = AUTO,
) -> Model:
    """Load a model.

    Args:
        name: Name of a model on this machine; the embedded one by default.
        device: auto, cpu, cuda, cuda:1 or mps; several are separated by commas and share the
            chunks.
        backend: auto, torch or onnx.
        precision: Of the learned part: auto, fp32, bf16 or fp16.

    Raises:
        WeightsError: The model is unknown, is not on this machine, or its files are damaged.
        ModelError: Weights and spec do not fit, or the backend or the device cannot run here.
        ValueError: There is no such backend or precision.
    """
    loaded = load(name, Runtime(backend, device, precision))
    fields = {field.name: getattr(loaded, field.name) for field in dataclasses.fields(loaded)}
    return Model(**fields)


def _stream(stream: StemStream) -> Iterator[StemBlock]:
    with closing(stream):
        yield from stream


def _open(sound: Sound, sample_rate: int | None, name: str) -> AudioSource:
    if isinstance(sound, str | os.PathLike):
        return FileSource(Path(sound))
    if sample_rate is None:
        raise ValueError(f"expected a sample rate beside the samples of {name}, got none")
    return ArraySource(np.asarray(sound), sample_rate, name)


def _check_stems(known: tuple[str, ...], given: tuple[str, ...], targets: tuple[str, ...]) -> None:
    if unknown := [name for name in (*given, *targets) if name not in known]:
        raise ValueError(f"expected stems of {', '.join(known)}, got {unknown[0]}")
    if both := [name for name in targets if name in given]:
        raise ValueError(f"expected stems that are given or targets, got {both[0]} as both")
    if not given or not targets:
        raise ValueError("expected at least one given stem and one that is missing")


def _concatenate(blocks: Iterator[StemBlock], *, with_mixture: bool) -> Stems:
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for block in blocks:
        signals = {**block.stems, MIXTURE: block.mixture} if with_mixture else block.stems
        for name, signal in signals.items():
            parts.setdefault(name, []).append(signal.astype(np.float32))
    return {name: np.concatenate(part, 1) for name, part in parts.items()}


def _flatten(song: Sound, stems: Stems) -> Stems:
    """Stems of as many axes as an array that was given."""
    if isinstance(song, np.ndarray) and song.ndim == 1:
        return {name: stem[0] for name, stem in stems.items()}
    return stems
