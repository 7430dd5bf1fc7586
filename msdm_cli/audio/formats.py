"""The sound files that msdm reads and writes: a table of formats and a table of subtypes.

A format is a container with a suffix. A subtype says how a sample is stored, in libsndfile's terms.
To add an output format, add a row to ``FORMATS``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from msdm_cli.audio.ogg_serial import fix_serial
from msdm_cli.errors import MissingSubtype, UnsuitableFormat


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
        container: libsndfile's name, where it is not ``name`` in capitals.
        rates: The sample rates that it can have, in hertz; any if empty.
        compression: libsndfile's measure of how much is left out, 0 to 1; its default if None.
        most_channels: The channels that it can have; any number if None.
        others: Other suffixes that are read.
    """

    name: str
    suffix: str
    subtypes: tuple[str, ...] = ()
    size_share: float = 1.0
    large_format: str | None = None
    finish: Callable[[Path], None] | None = None
    masked_format: str | None = None
    vorbis_order: bool = False
    container: str = ""
    rates: tuple[int, ...] = ()
    compression: float | None = None
    most_channels: int | None = None
    others: tuple[str, ...] = ()

    @property
    def libsndfile_name(self) -> str:
        """What libsndfile calls the container."""
        return self.container or self.name.upper()


SUBTYPES = {
    subtype.name: subtype
    for subtype in (
        Subtype("PCM_16", 2, bits=16),
        Subtype("PCM_24", 3, bits=24),
        Subtype("PCM_32", 4, bits=32),
        Subtype("FLOAT", 4, floating=True),
        Subtype("DOUBLE", 8, floating=True),
        Subtype("VORBIS", 2, lossy=True),
        Subtype("OPUS", 2, lossy=True),
        Subtype("MPEG_LAYER_III", 2, lossy=True),
    )
}

PCM = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")

FORMATS = {
    sound_format.name: sound_format
    for sound_format in (
        SoundFormat(
            "wav",
            ".wav",
            PCM,
            large_format="RF64",
            masked_format="WAVEX",
        ),
        SoundFormat("flac", ".flac", ("PCM_16", "PCM_24"), size_share=0.6),
        SoundFormat(
            "ogg",
            ".ogg",
            ("VORBIS",),
            size_share=0.1,
            finish=fix_serial,
            vorbis_order=True,
            others=(".oga",),
        ),
        SoundFormat(
            "mp3",
            ".mp3",
            ("MPEG_LAYER_III",),
            size_share=0.15,
            compression=0.2,  # LAME's V2, about 190 kbit/s
            rates=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
            most_channels=2,
        ),
        SoundFormat(
            "opus",
            ".opus",
            ("OPUS",),
            size_share=0.1,
            finish=fix_serial,
            vorbis_order=True,
            container="OGG",
            rates=(8000, 12000, 16000, 24000, 48000),
        ),
        SoundFormat("aiff", ".aiff", PCM, others=(".aif", ".aifc")),
        SoundFormat("caf", ".caf", PCM),
        SoundFormat("m4a", ".m4a", others=(".aac",)),
        SoundFormat("wma", ".wma"),
        SoundFormat("webm", ".webm", others=(".mkv",)),
        SoundFormat("mp4", ".mp4", others=(".mov", ".m4v", ".avi")),
    )
}


def writable_formats() -> list[str]:
    """Names of the formats that results can be written in."""
    return [name for name, sound_format in FORMATS.items() if sound_format.subtypes]


def readable_suffixes() -> frozenset[str]:
    """Suffixes of the files in a folder that are taken for songs, in lower case."""
    rows = FORMATS.values()
    return frozenset(suffix for row in rows for suffix in (row.suffix, *row.others))


def describe_readable() -> str:
    """A remedy for a file that cannot be read."""
    *first, last = FORMATS
    return f"Give a {', '.join(first)} or {last} file."


def find_finest(subtypes: Iterable[str]) -> str:
    """The subtype that holds the samples of all; of several, the first."""

    def count_bytes(name: str) -> tuple[bool, int]:
        known = SUBTYPES.get(name)
        if known is None or known.lossy:  # such samples are written in 16 bits
            return False, 0
        return known.floating, known.bytes_per_sample

    return max(subtypes, key=count_bytes)


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
        MissingSubtype: The format does not have the subtype that was asked for.
    """
    known = FORMATS[format_name].subtypes
    if asked is not None:
        if asked not in known:
            raise MissingSubtype(
                f"{format_name} has no subtype {asked}", f"It has {', '.join(known)}."
            )
        return SUBTYPES[asked]
    if source in known:
        return SUBTYPES[source]
    # 24 bits keep all that a float of single precision has below full scale, 16 bits do not.
    if source in SUBTYPES and SUBTYPES[source].bytes_per_sample > 3 and "PCM_24" in known:
        return SUBTYPES["PCM_24"]
    return SUBTYPES[known[0]]


def loses_bits(source: str, written: str) -> bool:
    """Whether samples of the subtype ``source`` are written as integers of fewer bits.

    Lossy codecs have no bits, and 24 keep all that msdm has of a float below full scale.
    """
    one, other = (SUBTYPES.get(name) for name in (source, written))
    if one is None or other is None or other.bits is None:
        return False
    return (24 if one.floating else one.bits or 0) > other.bits


def choose_rate(format_name: str, asked: int | None, source: int) -> int:
    """The sample rate that a result is written with, in hertz.

    Args:
        format_name: A name in ``FORMATS``.
        asked: What was asked for; None to follow the source.
        source: Rate of the input.

    Returns:
        What was asked for; else that of the source, where the format has it; else the next higher
        that the format has, or its highest.
    """
    rates = FORMATS[format_name].rates
    wanted = asked or source
    if not rates or wanted in rates:
        return wanted
    return next((rate for rate in rates if rate > wanted), rates[-1])


def check_channels(format_name: str, channels: int) -> None:
    """Refuse more channels than a format has.

    Raises:
        UnsuitableFormat: There are more.
    """
    most = FORMATS[format_name].most_channels
    if most is not None and channels > most:
        others = [name for name in writable_formats() if FORMATS[name].most_channels is None]
        raise UnsuitableFormat(
            f"{format_name} has {most} channels at most, and these are {channels}",
            f"Choose another format: {', '.join(others)}.",
        )
