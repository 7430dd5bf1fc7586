"""A mix of stems that are there already."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.file_sink import FileSink
from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.file_writer import SoundShape
from msdm_cli.audio.formats import (
    FORMATS,
    check_channels,
    choose_rate,
    choose_subtype,
    writable_formats,
)
from msdm_cli.audio.kept_source import keeping
from msdm_cli.audio.mix import Gains, mix, round_mix
from msdm_cli.audio.source import AudioSource
from msdm_cli.audio.stem_finish import fit_gain
from msdm_cli.errors import MissingStems, UnsuitableAudio, UnsuitableFormat
from msdm_cli.jobs.output import check_vacant

BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True)
class Mixed:
    """A mix that was written.

    Attributes:
        path: The file.
        gain_db: Of the whole mix, so that it does not clip.
        clipped: Samples that were clipped.
    """

    path: Path
    gain_db: float
    clipped: int


def mix_stems(
    stems: Mapping[str, Path],
    gains: Gains,
    path: Path,
    *,
    subtype: str | None = None,
    overwrite: bool = False,
) -> Mixed:
    """Write the weighted sum of stems. A mix beyond full scale is made softer as a whole.

    Args:
        stems: Files by name, of one rate and length, and of one number of channels or mono.
        gains: Factors by name.
        path: Where the mix goes; the suffix is its format.
        subtype: How samples are stored; as in the first stem if None.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        MissingStems: A stem that has a gain is not there.
        AudioError: A stem cannot be read, stems do not go together, or the mix cannot be written.
        ResultsError: There is a file at ``path``.
    """
    if unknown := [name for name in gains if name not in stems]:
        raise MissingStems(
            f"there is no stem {', '.join(unknown)}", f"Choose from {', '.join(stems)}."
        )
    if not stems:
        raise MissingStems("there are no stems to mix", "Separate the song without --without.")
    sources = {name: FileSource(file) for name, file in stems.items()}
    shape = _describe(sources, path, subtype)
    check_vacant([path], stems, overwrite=overwrite)
    if shape.subtype.floating:
        return _write(sources, gains, path, shape, 1.0)[0]
    with keeping(sources, path.parent) as kept:
        mixed, peak = _write(kept, gains, path, shape, 1.0)
        gain = fit_gain(peak, shape.subtype)
        return mixed if gain == 1 else _write(kept, gains, path, shape, gain)[0]


def _write(
    sources: Mapping[str, AudioSource], gains: Gains, path: Path, shape: SoundShape, gain: float
) -> tuple[Mixed, float]:
    """Write the mix with a gain on all of it, unless it would clip; and its peak before that."""
    peak = 0.0
    clipped = 0
    with FileSink({path.stem: path}, shape) as sink:
        for mixed in _mix(sources, gains):
            peak = max(peak, float(np.abs(mixed).max(initial=0)))
            block, beyond = round_mix(gain * mixed, shape.subtype)
            clipped += beyond
            sink.write({path.stem: block})
        if gain <= fit_gain(peak, shape.subtype):
            sink.finish()
            sink.commit()
        return Mixed(path, 20 * math.log10(gain), clipped + sink.clipped), peak


def _describe(sources: Mapping[str, FileSource], path: Path, subtype: str | None) -> SoundShape:
    """The shape of the mix.

    Raises:
        UnwritableAudio: The format has no such subtype, rate or number of channels.
        UnsuitableAudio: Stems differ in rate, length or channels, and are not mono.
        ValueError: The suffix is of no format that msdm writes.
    """
    format_name = _name_format(path)
    widest = _find_widest(list(sources.values()))
    properties = widest.properties
    check_channels(format_name, properties.channels)
    if choose_rate(format_name, None, properties.sample_rate) != properties.sample_rate:
        raise UnsuitableFormat(
            f"{format_name} has no {properties.sample_rate} Hz, the rate of the stems",
            "Choose another format with -o, such as mix.flac.",
        )
    first = next(iter(sources.values()))
    tags = dict(first.tags)
    if "title" in tags:  # the sink adds the name of the mix
        tags["title"] = tags["title"].removesuffix(f" ({next(iter(sources))})")
    return SoundShape(
        sample_rate=properties.sample_rate,
        channels=properties.channels,
        frames=properties.frames,
        subtype=choose_subtype(format_name, subtype, first.properties.subtype),
        tags=tags,
        channel_names=properties.channel_names,
    )


def _find_widest(sources: Sequence[FileSource]) -> FileSource:
    """The stem with most channels, or the first of those.

    Raises:
        UnsuitableAudio: Another one does not go with it.
    """
    # A mono stem sounds in all channels of the others.
    widest = max(sources, key=lambda source: source.properties.channels)
    for other in sources:
        for quantity in ("sample_rate", "frames", "channels"):
            one = getattr(widest.properties, quantity)
            two = getattr(other.properties, quantity)
            if one != two and not (quantity == "channels" and two == 1):
                what = quantity.replace("_", " ")
                raise UnsuitableAudio(
                    f"{what}: {widest.name} has {one}, {other.name} has {two}",
                    "Stems of a mix must go together: export them together.",
                )
    return widest


def _name_format(path: Path) -> str:
    """The format of a file, by its suffix.

    Raises:
        ValueError: msdm writes no such format.
    """
    formats = {FORMATS[name].suffix: name for name in writable_formats()}
    if path.suffix.lower() not in formats:
        raise ValueError(f"expected a suffix of {', '.join(formats)}, got {path.suffix}")
    return formats[path.suffix.lower()]


def _mix(sources: Mapping[str, AudioSource], gains: Gains) -> Iterator[NDArray[np.float64]]:
    """The mix in blocks, ``[C, n]`` each."""
    frames = next(iter(sources.values())).properties.frames
    with ExitStack() as stack:
        readers = {name: stack.enter_context(one.open()) for name, one in sources.items()}
        for start in range(0, frames, BLOCK_FRAMES):
            count = min(BLOCK_FRAMES, frames - start)
            yield mix({name: reader.read(count) for name, reader in readers.items()}, gains)
