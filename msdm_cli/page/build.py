"""The page of one song's stems, and the page that compares takes."""

import logging
import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote_from_bytes

from msdm_cli.audio.file_source import FileSource
from msdm_cli.errors import AudioError, MissingStems
from msdm_cli.jobs.stem_folder import COLOURS, StemFolder
from msdm_cli.page.facts import (
    MADE,
    describe_music,
    describe_sound,
    extend,
    is_unicode,
    list_commands,
    list_facts,
    to_unicode,
)
from msdm_cli.page.outline import LOWEST_HZ, Outline, outline
from msdm_cli.page.pictures import Rgb, draw_spectrogram, draw_wave
from msdm_cli.page.template import Page, Track, format_length

OTHERS: tuple[Rgb, ...] = ((20, 150, 150), (150, 140, 30), (180, 80, 60), (110, 120, 200))
MIXED: Rgb = (116, 124, 134)
PITCHES = ((100, "100 Hz"), (1000, "1 kHz"), (10_000, "10 kHz"))
HIGHEST_MARK = 0.95
"""Share of the height where a frequency can still be written."""

log = logging.getLogger(__name__)


def warn(reason: str) -> None:
    """Tell that a page leaves out a file, and why."""
    log.warning("%s; the page leaves it out", reason)


@dataclass(frozen=True)
class _Sound:
    """A file that a page shows.

    Attributes:
        name: What it is called.
        path: The file.
        source: The same, opened.
        shape: What it looks like.
    """

    name: str
    path: Path
    source: FileSource
    shape: Outline


def build_page(opened: StemFolder, place: Path, tell: Callable[[str], None] = warn) -> Page:
    """The page of a folder of stems.

    Args:
        opened: The folder.
        place: Where the page will lie.
        tell: Is told why a file cannot be read, which the page leaves out.

    Raises:
        MissingStems: None of the files can be read.
    """
    sounds = [*_measure(opened.stems, tell), *_measure(opened.mixes, tell)]
    if not sounds:
        raise MissingStems(f"{opened.folder}: no file can be read", "Name a folder of stems.")
    stems = [sound.name for sound in sounds if sound.name in opened.stems]
    colours = choose_colours(stems)
    muted = {mix for mix in opened.mixes if stems and opened.repeats_stems(mix)}
    manifest = opened.manifest
    count = f"{len(stems)} stems" if len(stems) != 1 else "1 stem"
    made = f", {MADE[manifest.request['task']]}" if manifest else ""
    path = opened.manifest_path
    return Page(
        title=to_unicode(opened.song),
        summary=f"{count if stems else 'a mix'}{made} · {_describe_length(sounds)}",
        seconds=max(sound.source.properties.seconds for sound in sounds),
        tracks=_draw(sounds, colours, place, muted),
        facts=list_facts(manifest) if manifest else (),
        commands=list_commands(manifest, path, stems) if manifest and path else (),
    )


def build_gallery(
    title: str,
    takes: Mapping[Path, StemFolder],
    place: Path,
    tell: Callable[[str], None] = warn,
) -> Page:
    """A page that compares takes: the mix of each, of which one is heard at a time.

    Args:
        title: Of the page.
        takes: Folders of takes by the places of their pages.
        place: Where this page will lie.
        tell: As in ``build_page``.

    Raises:
        MissingStems: No take has a mix that can be read.
    """
    named = {
        opened.folder.name: (page, opened, next(iter(opened.mixes.values())))
        for page, opened in takes.items()
        if opened.mixes
    }
    mixtures = {name: mixture for name, (_, _, mixture) in named.items()}
    sounds = list(_measure(mixtures, tell))
    if not sounds:
        raise MissingStems(f"{place.parent}: no take can be read", "Name a folder of takes.")
    colours = choose_colours([sound.name for sound in sounds])
    return Page(
        title=to_unicode(title),
        summary=f"{len(sounds)} takes · {_describe_length(sounds)}",
        seconds=max(sound.source.properties.seconds for sound in sounds),
        tracks=[
            _lead_on(track, *named[sound.name][:2], place.parent)
            for track, sound in zip(_draw(sounds, colours, place), sounds, strict=True)
        ],
        exclusive=True,
    )


def _lead_on(track: Track, page: Path, take: StemFolder, folder: Path) -> Track:
    """The row of a take, with its page, what its music is like, and the command to go on."""
    manifest = take.manifest
    relative = os.path.relpath(take.folder, folder)
    # A command that is copied from a page names no bytes that are no Unicode.
    command = extend(manifest, relative) if manifest and is_unicode(relative) else ""
    return replace(
        track,
        link=make_address(page, folder),
        note=describe_music(manifest) if manifest else "",
        command=command,
    )


def choose_colours(stems: Iterable[str]) -> dict[str, Rgb]:
    """A colour for each stem; the usual stems have always the same."""
    unknown = [stem for stem in stems if stem not in COLOURS]
    return COLOURS | {stem: OTHERS[i % len(OTHERS)] for i, stem in enumerate(unknown)}


def _measure(files: Mapping[str, Path], tell: Callable[[str], None]) -> Iterator[_Sound]:
    """The files that can be read; the others are left out, and told of."""
    for name, path in files.items():
        try:
            source = FileSource(path)
            yield _Sound(name, path, source, outline(source))
        except AudioError as error:  # noqa: PERF203  decoding is slower
            tell(error.message)


def list_pitches(highest_hz: float) -> list[tuple[float, str]]:
    """Frequencies to write on a spectrogram: the share of its height, and the frequency."""
    octaves = math.log(highest_hz / LOWEST_HZ)
    shares = ((math.log(hz / LOWEST_HZ) / octaves, text) for hz, text in PITCHES)
    return [(share, text) for share, text in shares if share < HIGHEST_MARK]


def _draw(
    sounds: Sequence[_Sound], colours: Mapping[str, Rgb], place: Path, muted: Collection[str] = ()
) -> list[Track]:
    """Rows of a page. All pictures have one scale, so that what is soft looks soft."""
    peak = max(sound.shape.peak for sound in sounds)
    loudest = max(float(sound.shape.power.max()) for sound in sounds)
    longest = max(sound.source.properties.seconds for sound in sounds)
    tracks = []
    for sound in sounds:
        colour = colours.get(sound.name, MIXED)
        share = sound.source.properties.seconds / longest
        tracks.append(
            Track(
                name=to_unicode(sound.name),
                file=to_unicode(sound.path.name),
                source=make_address(sound.path, place.parent),
                colour=colour,
                wave=draw_wave(sound.shape, peak, colour, share),
                spectrogram=draw_spectrogram(sound.shape, loudest, colour, share),
                pitches=list_pitches(sound.shape.highest_hz),
                muted=sound.name in muted,
            )
        )
    return tracks


def make_address(path: Path, folder: Path) -> str:
    """The relative address of a file, as a browser takes it, from a folder."""
    relative = os.path.relpath(path, folder)
    # ``./`` keeps a colon in a name from looking like ``https:``.
    return "./" + quote_from_bytes(os.fsencode(Path(relative).as_posix()))


def _describe_length(sounds: Sequence[_Sound]) -> str:
    properties = [sound.source.properties for sound in sounds]
    length = format_length(max(one.seconds for one in properties))
    return f"{length} · {describe_sound(properties[0])}"
