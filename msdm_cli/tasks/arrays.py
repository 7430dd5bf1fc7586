"""Arrays that go into a task, and arrays that come out of it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.source import ArraySource, AudioSource
from msdm_cli.audio.stem_finish import MIXTURE
from msdm_cli.tasks.stream import StemBlock

Sound = str | os.PathLike[str] | NDArray[Any]
"""A path, or samples ``[C, T]`` or ``[T]``, of which NumPy makes an array; full scale is 1."""

Stems = dict[str, NDArray[np.float32]]


def open_sound(sound: Sound, sample_rate: int | None, name: str) -> AudioSource:
    """The source of a sound.

    Args:
        sound: A path, or samples.
        sample_rate: Of the samples, in hertz; a file has its own.
        name: What to call samples in messages.

    Raises:
        AudioError: It cannot be read, or holds no samples or a NaN.
        TypeError: NumPy makes no array of the samples, or they have a mask.
        ValueError: Samples come without a rate, or in another shape.
    """
    if isinstance(sound, str | os.PathLike):
        return FileSource(Path(sound))
    if sample_rate is None:
        raise ValueError(f"expected a sample rate beside the samples of {name}, got none")
    if np.ma.isMaskedArray(sound):
        raise TypeError(f"expected samples of {name} without a mask; fill them first")
    try:
        samples = np.asarray(sound)
    except RuntimeError as error:  # PyTorch's, of tensors with gradients
        raise TypeError(f"expected samples of {name} as an array: {error}") from error
    return ArraySource(samples, sample_rate, name)


def list_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Names of stems; a single one may stand alone."""
    return (names,) if isinstance(names, str) else tuple(names)


def check_given(known: tuple[str, ...], given: tuple[str, ...]) -> None:
    """Refuse given stems that a model does not have.

    Raises:
        ValueError: A stem is unknown, or none is given.
    """
    _check_known(known, given)
    if not given:
        raise ValueError("expected at least one given stem")


def _check_known(known: tuple[str, ...], names: tuple[str, ...]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"expected stems of {', '.join(known)}, got {unknown[0]}")


def check_imputation(
    known: tuple[str, ...], given: tuple[str, ...], targets: tuple[str, ...], *, in_part: bool
) -> None:
    """Refuse stems that a model does not have, or that cannot be imputed.

    Args:
        known: Stems of the model.
        given: Stems that are there.
        targets: Stems to impute.
        in_part: Whether they are imputed in a part, so that they may be there.

    Raises:
        ValueError: A stem is unknown, or is both given and a target, none is given, or there is no
            target.
    """
    check_given(known, given)
    _check_known(known, targets)
    both = [name for name in targets if name in given]
    if both and not in_part:
        raise ValueError(f"expected stems that are given or targets, got {both[0]} as both")
    if not targets:
        raise ValueError("expected at least one target, or one stem that is missing")


def concatenate(blocks: Iterator[StemBlock], *, with_mixture: bool) -> Stems:
    """All blocks as one array per stem, ``[C, T]``, in single precision."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for block in blocks:
        signals = {**block.stems, MIXTURE: block.mixture} if with_mixture else block.stems
        for name, signal in signals.items():
            parts.setdefault(name, []).append(signal.astype(np.float32))
    return {name: np.concatenate(part, 1) for name, part in parts.items()}


def flatten_like(sounds: Iterable[Sound], stems: Stems) -> Stems:
    """Stems ``[T]`` if all sounds that were given are arrays ``[T]``; otherwise as they are."""
    if not any(isinstance(sound, str | os.PathLike) or np.ndim(sound) != 1 for sound in sounds):
        return {name: stem[0] for name, stem in stems.items()}
    return stems
