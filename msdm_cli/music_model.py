"""A model that makes music: it imputes, generates and continues."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from msdm_cli.audio.source import AudioSource
from msdm_cli.diffusion.noise import check_seed
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.models.load import LoadedModel
from msdm_cli.progress import Progress, SilentProgress
from msdm_cli.tasks.arrays import (
    Sound,
    Stems,
    check_given,
    check_imputation,
    concatenate,
    flatten_like,
    list_names,
    open_sound,
)
from msdm_cli.tasks.controls import Controls
from msdm_cli.tasks.generate import USUAL_SECONDS, GenerateOptions
from msdm_cli.tasks.impute import ImputeOptions
from msdm_cli.tasks.stream import NoStore, StemBlock, StemStream
from msdm_cli.tasks.table import TASKS


@dataclass(frozen=True)
class MusicModel(LoadedModel):
    """A model on a device that can be asked for music."""

    def impute(  # noqa: PLR0913  most are asked for by name
        self,
        given: Mapping[str, Sound],
        sample_rate: int | None = None,
        *,
        targets: str | Sequence[str] = (),
        part: tuple[float, float | None] | None = None,
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
            part: Where to impute, from and to, in seconds; None is the end. Outside of it a target
                stays as it is, if it is given, or rests.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise, 0 to 2^64 - 1.
            controls: What is asked for. Tempo and key are otherwise heard in the given stems.
            progress: Receives each network call.

        Returns:
            The targets by name, and ``mixture``: given and imputed stems together, ``[C, T]``
            each. Given arrays ``[T]`` give ``[T]``.

        Raises:
            AudioError: A given stem cannot be read, or they do not go together.
            MissingPreset: The model has no preset of that name, or does not impute.
            NonFiniteSamples: The network failed.
            ValueError: Stems are unknown, missing, or both given and targets; or as in ``extend``.
        """
        how: dict[str, Any] = {"quality": quality, "seed": seed, "controls": controls}
        what: dict[str, Any] = {"targets": targets, "part": part, "progress": progress}
        blocks = self.impute_blocks(given, sample_rate, **what, **how)
        return flatten_like(given.values(), concatenate(blocks, with_mixture=True))

    def impute_blocks(  # noqa: PLR0913  most are asked for by name
        self,
        given: Mapping[str, Sound],
        sample_rate: int | None = None,
        *,
        targets: str | Sequence[str] = (),
        part: tuple[float, float | None] | None = None,
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
        wanted = tuple(dict.fromkeys(list_names(targets) or missing))
        check_imputation(self.spec.stems, tuple(given), wanted, in_part=part is not None)
        preset, sketch = self._find_presets("impute", quality)
        asked = _check_controls(controls, sketch)
        options = ImputeOptions(preset, seed, wanted, sketch, asked, part)
        sources = {name: open_sound(sound, sample_rate, name) for name, sound in given.items()}
        return self._run("impute", sources, options, progress)

    def generate(
        self,
        seconds: float = USUAL_SECONDS,
        *,
        bars: int | None = None,
        quality: str = "default",
        seed: int = 0,
        controls: Controls | None = None,
        progress: Progress | None = None,
    ) -> Stems:
        """Generate music with its stems.

        Args:
            seconds: Length.
            bars: Length of a loop, instead: its end leads to its beginning.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise, and of what the controls leave open, 0 to 2^64 - 1.
            controls: Tempo, key, style, and which stems play; None leaves them to the seed.
            progress: Receives each network call.

        Returns:
            All stems of the model and ``mixture``, their sum, ``[1, T]`` each, at
            ``model.spec.sample_rate``.

        Raises:
            MissingPreset: The model has no preset of that name, or does not generate.
            NonFiniteSamples: The network failed.
            UnsuitableAudio: The length is less than a sample.
            ValueError: The seed is none, or bars are no whole number from 1 on; or controls or bars
                are asked of a model that draws no sketch, and so heeds neither.
        """
        blocks = self.generate_blocks(
            seconds, bars=bars, quality=quality, seed=seed, controls=controls, progress=progress
        )
        return concatenate(blocks, with_mixture=True)

    def generate_blocks(
        self,
        seconds: float = USUAL_SECONDS,
        *,
        bars: int | None = None,
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
        asked = _check_controls(controls, sketch)
        if sketch:
            asked = asked.filled(seed, len(self.spec.stems))
        if bars is not None:
            if not sketch:
                raise ValueError("expected a model that draws sketches: others know no bars")
            if bars < 1 or bars % 1:
                raise ValueError(f"expected one bar or more, and whole ones, got {bars}")
            seconds = bars * asked.bar_seconds
        options = GenerateOptions(preset, seed, seconds, sketch, asked, loops=bars is not None)
        return self._run("generate", {}, options, progress)

    def extend(  # noqa: PLR0913  most are asked for by name
        self,
        given: Mapping[str, Sound],
        seconds: float,
        sample_rate: int | None = None,
        *,
        quality: str = "default",
        seed: int = 0,
        controls: Controls | None = None,
        progress: Progress | None = None,
    ) -> Stems:
        """Continue stems.

        Args:
            given: Paths or samples by stem name; of one rate and length. A stem that is not among
                them has rested so far.
            seconds: Length of what is added.
            sample_rate: Of the samples, in hertz; files have their own.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise, 0 to 2^64 - 1.
            controls: What is asked for. Tempo and key are otherwise heard in the given stems.
            progress: Receives each network call.

        Returns:
            All stems of the model and ``mixture``, ``[C, T]`` each: what was there as it was, and
            what follows. Given arrays ``[T]`` give ``[T]``.

        Raises:
            AudioError: A given stem cannot be read, or they do not go together.
            MissingPreset: The model has no preset of that name, or does not generate.
            NonFiniteSamples: The network failed.
            ValueError: A stem is not one of the model's, or none is given, or the seed is none; or
                controls are asked of a model that draws no sketch, and so heeds none.
        """
        how: dict[str, Any] = {"seed": seed, "controls": controls, "progress": progress}
        blocks = self.extend_blocks(given, seconds, sample_rate, quality=quality, **how)
        return flatten_like(given.values(), concatenate(blocks, with_mixture=True))

    def extend_blocks(  # noqa: PLR0913  most are asked for by name
        self,
        given: Mapping[str, Sound],
        seconds: float,
        sample_rate: int | None = None,
        *,
        quality: str = "default",
        seed: int = 0,
        controls: Controls | None = None,
        progress: Progress | None = None,
    ) -> Iterator[StemBlock]:
        """Continue stems in blocks; arguments and errors are those of ``extend``.

        Yields:
            Consecutive blocks of the stems and their sum.
        """
        check_given(self.spec.stems, tuple(given))
        preset, sketch = self._find_presets("generate", quality)
        asked = _check_controls(controls, sketch)
        options = GenerateOptions(preset, seed, seconds, sketch, asked)
        sources = {name: open_sound(sound, sample_rate, name) for name, sound in given.items()}
        return self._run("generate", sources, options, progress)

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
        check_seed(options.seed)
        heard = progress or SilentProgress()
        return _stream(TASKS[task].run(self, sources, options, NoStore(), heard))


def _check_controls(controls: Controls | None, sketch: Preset | None) -> Controls:
    """The controls that are asked for; None asks for nothing.

    Raises:
        TypeError: They are no ``Controls``.
        ValueError: They ask for something, and the model draws no sketch.
    """
    asked = Controls() if controls is None else controls
    if not isinstance(asked, Controls):
        raise TypeError(f"expected Controls, got {type(asked).__name__}")
    if not sketch and asked != Controls():
        raise ValueError("expected a model that draws sketches: others heed no controls")
    return asked


def _stream(stream: StemStream) -> Iterator[StemBlock]:
    with closing(stream):
        yield from stream
