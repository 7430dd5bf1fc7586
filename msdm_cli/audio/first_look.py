"""The first look at a sound file: what its bytes tell, all in one pass.

A length in a header is a claim. The length that counts is that of what can be decoded.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msdm_cli.audio.decoders import decoding, decoding_and_digesting
from msdm_cli.audio.level import LevelMeter
from msdm_cli.audio.riff import read_stated_frames
from msdm_cli.audio.source import AudioProperties, check_finite
from msdm_cli.errors import EmptyPart, NoLength, UnsuitableAudio

if TYPE_CHECKING:
    from msdm_cli.audio.decoders import Decoder

TAGS = (
    "title",
    "artist",
    "album",
    "tracknumber",
    "date",
    "genre",
    "comment",
    "copyright",
    "license",
)
TRACK = "track"
"""FFmpeg's name of the tag ``tracknumber``."""
MISSING_SHARE = 0.01
"""A file that lacks more than this share of the length that it states is called cut off."""

LONGEST = 1 << 62
"""Longer than any sound, in samples."""


@dataclass(frozen=True)
class Part:
    """A part of a sound.

    Attributes:
        start_seconds: Where it begins.
        duration_seconds: Its length at most; to the end if None.
    """

    start_seconds: float = 0.0
    duration_seconds: float | None = None

    def locate(self, rate: int, whole: int) -> tuple[int, int]:
        """Its begin and its end in a sound of ``whole`` samples."""
        first = min(whole, round(self.start_seconds * rate))
        if self.duration_seconds is None:
            return first, whole
        return first, min(whole, first + round(self.duration_seconds * rate))


@dataclass(frozen=True)
class FirstLook:
    """What is found in a sound file.

    Attributes:
        properties: Of the part that was asked for.
        first: Where that part begins, in samples.
        tags: Title, artist and the like.
        warnings: What a person should know of the file: it is cut off, or damaged in the middle.
        sha256: Of the whole file; None if only its header was read.
        rms: Root mean square of the part's samples; None if it was not measured.
    """

    properties: AudioProperties
    first: int
    tags: dict[str, str]
    warnings: list[str] = field(default_factory=list)
    sha256: str | None = None
    rms: float | None = None


def look_through(path: Path, part: Part, *, level: bool) -> FirstLook:
    """Go through a file once, for its true length, its checksum, and its level if asked for.

    Raises:
        UnreadableAudio: It is not there, or is not a sound file.
        UnsuitableAudio: The part holds no samples, or its level is wanted and one is no number.
    """
    with decoding_and_digesting(path) as (decoder, file):
        meter = LevelMeter()
        whole = _measure(path, decoder, part, meter) if level else decoder.count_frames()
        return FirstLook(
            **_describe(path, decoder, part, whole),
            warnings=_find_damage(path, decoder, whole, read_stated_frames(file)),
            sha256=file.finish(),
            rms=meter.rms if level else None,
        )


def look_at_header(path: Path, part: Part) -> FirstLook:
    """Believe what a file states of itself, without decoding it where it states its length.

    Raises:
        UnreadableAudio: It is not there, or is not a sound file.
        UnsuitableAudio: The part holds no samples.
    """
    with decoding(path) as decoder:
        whole = decoder.guess_frames()
        if whole is None:
            with decoding(path) as another:
                whole = another.count_frames()
        return FirstLook(**_describe(path, decoder, part, whole))


def _measure(path: Path, decoder: "Decoder", part: Part, meter: LevelMeter) -> int:
    """The true length of a sound, while a meter receives the samples of a part of it."""
    first, last = part.locate(decoder.sample_rate, LONGEST)
    whole = 0
    for block in decoder.blocks():
        inside = block[:, max(first - whole, 0) : max(last - whole, 0)]
        check_finite(inside, str(path))
        meter.push(inside)
        whole += block.shape[1]
    return whole


def _describe(path: Path, decoder: "Decoder", part: Part, whole: int) -> dict[str, Any]:
    """The part of a sound whose length is known, and its tags."""
    first, last = part.locate(decoder.sample_rate, whole)
    if last <= first:
        if first < whole:
            raise NoLength(f"{path}: {part.duration_seconds:g} s is no length", "Ask for more.")
        if whole:
            raise EmptyPart(
                f"{path}: no samples after {part.start_seconds:g} s", "Begin earlier in it."
            )
        raise UnsuitableAudio(f"{path}: no samples", "Give a file that holds sound.")
    properties = AudioProperties(
        decoder.sample_rate,
        decoder.channels,
        last - first,
        decoder.subtype,
        decoder.channel_names,
    )
    found = {key if key != TRACK else "tracknumber": text for key, text in decoder.tags.items()}
    tags = {tag: found[tag] for tag in TAGS if found.get(tag)}
    return {"properties": properties, "first": first, "tags": tags}


def _find_damage(path: Path, decoder: "Decoder", frames: int, stated: int | None) -> list[str]:
    """What a person should know of a file whose true length has been counted."""
    warnings = []
    if decoder.damaged:
        warnings.append(f"{path}: damaged in {decoder.damaged} places, which are silent")
    stated = stated or decoder.claimed_frames
    if stated and stated - frames > MISSING_SHARE * stated:
        rate = decoder.sample_rate
        warnings.append(
            f"{path}: holds {frames / rate:.1f} s of the {stated / rate:.1f} s that its header "
            "states; the rest is missing"
        )
    return warnings
