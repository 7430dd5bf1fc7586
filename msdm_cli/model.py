"""A model that separates, imputes and generates."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from msdm_cli.audio.source import AudioSource
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.models.load import LoadedModel
from msdm_cli.progress import Progress, SilentProgress
from msdm_cli.tasks.arrays import (
    Sound,
    Stems,
    check_imputation,
    concatenate,
    flatten_like,
    open_sound,
)
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.impute import ImputeOptions
from msdm_cli.tasks.separate import SONG, SeparateOptions
from msdm_cli.tasks.stream import NoStore, StemBlock, StemStream
from msdm_cli.tasks.table import TASKS


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
        return flatten_like([song], concatenate(blocks, with_mixture=False))

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
        return self._run("separate", {SONG: open_sound(song, sample_rate, SONG)}, options, progress)

    def impute(  # noqa: PLR0913  most are asked for by name
        self,
        given: Mapping[str, Sound],
        sample_rate: int | None = None,
        *,
        targets: Sequence[str] = (),
        quality: str = "default",
        seed: int = 0,
        controls: Controls | None = None,
        progress: Progress | None = None,
    ) -> Stems:
        """Impute stems that go with given ones.

        Args:
            given: Paths or samples by stem name; of one rate and length.
            sample_rate: Of the samples, in hertz; files have their own.
            targets: Stems to impute; all that are not given, if empty.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise.
            controls: Tempo, key, style, and which stems play; None leaves them to the model.
            progress: Receives each network call.

        Returns:
            The targets by name, and ``mixture``: given and imputed stems together, ``[C, T]``
            each. Given arrays ``[T]`` give ``[T]``.

        Raises:
            AudioError: A given stem cannot be read, or they do not go together.
            MissingPreset: The model has no preset of that name, or does not impute.
            NonFiniteSamples: The network failed.
            ValueError: A stem is not one of the model's, or is both given and a target.
        """
        how: dict[str, Any] = {"seed": seed, "controls": controls, "progress": progress}
        blocks = self.impute_blocks(given, sample_rate, targets=targets, quality=quality, **how)
        return flatten_like(given.values(), concatenate(blocks, with_mixture=True))

    def impute_blocks(  # noqa: PLR0913  most are asked for by name
        self,
        given: Mapping[str, Sound],
        sample_rate: int | None = None,
        *,
        targets: Sequence[str] = (),
        quality: str = "default",
        seed: int = 0,
        controls: Controls | None = None,
        progress: Progress | None = None,
    ) -> Iterator[StemBlock]:
        """Impute stems in blocks; arguments and errors are those of ``impute``.

        Yields:
            Consecutive blocks of the targets and the mixture.
        """
        missing = [name for name in self.spec.stems if name not in given]
        # A stem that is named twice is imputed once.
        wanted = tuple(dict.fromkeys(targets or missing))
        check_imputation(self.spec.stems, tuple(given), wanted)
        preset, sketch = self._find_presets("impute", quality)
        options = ImputeOptions(preset, seed, wanted, sketch, controls or Controls())
        sources = {name: open_sound(sound, sample_rate, name) for name, sound in given.items()}
        return self._run("impute", sources, options, progress)

    def generate(
        self,
        seconds: float,
        *,
        quality: str = "default",
        seed: int = 0,
        controls: Controls | None = None,
        progress: Progress | None = None,
    ) -> Stems:
        """Generate music with its stems.

        Args:
            seconds: Length.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise.
            controls: Tempo, key, style, and which stems play; None leaves them to the model.
            progress: Receives each network call.

        Returns:
            All stems of the model and ``mixture``, their sum, ``[1, T]`` each at the model's rate,
            ``model.spec.sample_rate``.

        Raises:
            MissingPreset: The model has no preset of that name, or does not generate.
            NonFiniteSamples: The network failed.
            UnsuitableAudio: The length is less than a sample.
        """
        blocks = self.generate_blocks(
            seconds, quality=quality, seed=seed, controls=controls, progress=progress
        )
        return concatenate(blocks, with_mixture=True)

    def generate_blocks(
        self,
        seconds: float,
        *,
        quality: str = "default",
        seed: int = 0,
        controls: Controls | None = None,
        progress: Progress | None = None,
    ) -> Iterator[StemBlock]:
        """Generate music in blocks; arguments and errors are those of ``generate``.

        Yields:
            Consecutive blocks of the stems and their sum.
        """
        preset, sketch = self._find_presets("generate", quality)
        asked = controls or Controls()
        options = GenerateOptions(
            preset, seed, seconds, sketch, asked.filled(seed) if sketch else asked
        )
        return self._run("generate", {}, options, progress)

    def _find_presets(self, task: str, quality: str) -> tuple[Preset, Preset | None]:
        """The settings of a task's sound, and of its sketch if it draws one."""
        return self.spec.preset(task, quality), self.spec.sketch_preset(task, quality)

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


def _stream(stream: StemStream) -> Iterator[StemBlock]:
    with closing(stream):
        yield from stream
