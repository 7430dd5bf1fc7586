"""The sound files that msdm reads and writes: a table of formats and a table of subtypes.

A format is a container with a suffix. A subtype says how a sample is stored, in libsndfile's terms.
To add an output format, add a row to ``FORMATS``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msdm_cli.audio.ogg_serial import fix_serial
from msdm_cli.errors import UnwritableAudio


@dataclass(frozen=True)
class Subtype:
    """How a sample is stored.

    Attributes:
        name: libsndfile's name.
        bytes_per_sample: Size before compression.
        bits: Bits of an integer sample; None for floats and lossy codecs.
        floating: Whether samples are floats, which have no full scale.
        lossy: Whether what is read back differs from what was written.
    """

    name: str
    bytes_per_sample: int
    bits: int | None = None
    floating: bool = False
    lossy: bool = False

    @property
    def unit(self) -> float:
        """Smallest step of a sample, relative to full scale; that of 16 bits for lossy codecs."""
        return 2.0 ** (1 - (self.bits or 16))


@dataclass(frozen=True)
class SoundFormat:
    """A container.

    Attributes:
        name: What a person calls it.
        suffix: Of its files.
        subtypes: What it can be written with; nothing if it is only read.
        size_share: Typical size of a file, relative to its uncompressed samples.
        large_format: libsndfile's name of the same container with 64-bit sizes, where there is one.
        finish: Called with the path of a finished file, to make it the same whenever it is written.
        masked_format: libsndfile's name of the same container with a mask of channels, if any.
        vorbis_order: Whether its channels are in the order of Vorbis.
    """

    name: str
    suffix: str
    subtypes: tuple[str, ...] = ()
    size_share: float = 1.0
    large_format: str | None = None
    finish: Callable[[Path], None] | None = None
    masked_format: str | None = None
    vorbis_order: bool = False


SUBTYPES = {
    subtype.name: subtype
    for subtype in (
        Subtype("PCM_16", 2, bits=16),
        Subtype("PCM_24", 3, bits=24),
        Subtype("PCM_32", 4, bits=32),
        Subtype("FLOAT", 4, floating=True),
        Subtype("DOUBLE", 8, floating=True),
        Subtype("VORBIS", 2, lossy=True),
    )
}

FORMATS = {
    sound_format.name: sound_format
    for sound_format in (
        SoundFormat(
            "wav",
            ".wav",
            ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
            large_format="RF64",
            masked_format="WAVEX",
        ),
        SoundFormat("flac", ".flac", ("PCM_16", "PCM_24"), size_share=0.6),
        SoundFormat(
            "ogg", ".ogg", ("VORBIS",), size_share=0.1, finish=fix_serial, vorbis_order=True
        ),
        SoundFormat("mp3", ".mp3"),
        SoundFormat("m4a", ".m4a"),
        SoundFormat("opus", ".opus"),
        SoundFormat("aiff", ".aiff"),
        SoundFormat("wma", ".wma"),
        SoundFormat("webm", ".webm"),
        SoundFormat("mp4", ".mp4"),
    )
}


def writable_formats() -> list[str]:
    """Names of the formats that results can be written in."""
    return [name for name, sound_format in FORMATS.items() if sound_format.subtypes]


def readable_suffixes() -> frozenset[str]:
    """Suffixes of the files in a folder that are taken for songs, in lower case."""
    return frozenset(sound_format.suffix for sound_format in FORMATS.values())


def describe_readable() -> str:
    """A remedy for a file that cannot be read."""
    *first, last = FORMATS
    return f"Give a {', '.join(first)} or {last} file."


def choose_subtype(format_name: str, asked: str | None, source: str) -> Subtype:
    """The subtype that a result is written with.

    Args:
        format_name: A name in ``FORMATS``.
        asked: A name in ``SUBTYPES``; None to follow the source.
        source: Subtype of the input, as libsndfile calls it.

    Returns:
        What was asked for; else that of the source, where the format has it; else the deepest that
        the format has for a source of more than 24 bits; else the format's first.

    Raises:
        UnwritableAudio: The format does not have the subtype that was asked for.
    """
    known = FORMATS[format_name].subtypes
    if asked is not None:
        if asked not in known:
            raise UnwritableAudio(
                f"{format_name} has no subtype {asked}", f"It has {', '.join(known)}."
            )
        return SUBTYPES[asked]
    if source in known:
        return SUBTYPES[source]
    # 24 bits keep all that a float of single precision has below full scale, 16 bits do not.
    if source in SUBTYPES and SUBTYPES[source].bytes_per_sample > 3 and "PCM_24" in known:
        return SUBTYPES["PCM_24"]
    return SUBTYPES[known[0]]
