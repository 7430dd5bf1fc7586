"""A project for REAPER: the files of a song as tracks, in time, with names and colours.

Source: the text that REAPER 7 writes. Blocks begin with ``<`` and end with ``>``, lengths are in
seconds, and a colour is blue, green and red in one number, with a bit that says that it is set.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from msdm_cli.audio.file_source import FileSource
from msdm_cli.errors import UnwritableResults
from msdm_cli.jobs.output import MANIFEST, MANIFEST_SUFFIX, place_beside
from msdm_cli.jobs.stem_folder import COLOURS, StemFolder, open_stem_folder
from msdm_cli.temporary import write_whole

SUFFIX = ".rpp"
SOURCES = {".flac": "FLAC", ".mp3": "MP3", ".ogg": "VORBIS", ".opus": "OPUS"}
"""REAPER's names of decoders; WAVE has the rest."""
IS_SET = 1 << 24
QUOTES = "\"'`"


def write_reaper_project(manifest: Path) -> Path:
    """Write the project of results beside them. One that is there stays: somebody may work in it.

    Raises:
        ResultsError: The manifest is damaged, or the folder cannot be written.
        AudioError: A file cannot be read.
    """
    opened = open_stem_folder(manifest)
    path = _place(opened, manifest)
    if path.exists():
        return path
    text = "\n".join(_list_lines(opened)) + "\n"
    try:
        write_whole(path, os.fsencode(text))
    except OSError as error:
        raise UnwritableResults(
            f"{path}: cannot be written ({error})", "Make room on the disk."
        ) from error
    return path


def find_reaper_project(manifest: Path) -> Path | None:
    """The project that lies beside results, if there is one.

    Raises:
        ResultsError: The manifest is damaged.
    """
    path = _place(open_stem_folder(manifest), manifest)
    return path if path.exists() else None


def _place(opened: StemFolder, manifest: Path) -> Path:
    alone = manifest.name == f"{MANIFEST}.{MANIFEST_SUFFIX}"
    return place_beside(manifest, opened.song if alone else "project", SUFFIX)


def _list_lines(opened: StemFolder) -> Iterator[str]:
    files = {**opened.stems, **opened.mixes}
    sources = {name: FileSource(path) for name, path in files.items()}
    rate = max(source.properties.sample_rate for source in sources.values())
    yield '<REAPER_PROJECT 0.1 "7.0" 0'
    yield f"  SAMPLERATE {rate} 0 0"
    if tempo := _find_tempo(opened):
        yield f"  TEMPO {tempo[0]:g} {tempo[1]} {tempo[2]}"
    for name, source in sources.items():
        muted = name in opened.mixes and opened.repeats_stems(name)
        yield from _list_track(name, source, opened.folder, muted=muted)
    yield ">"


def _list_track(name: str, source: FileSource, folder: Path, *, muted: bool) -> Iterator[str]:
    label = quote(name)
    colour = COLOURS.get(name)
    yield f"  <TRACK {_identify(name, 'track')}"
    yield f"    NAME {label}"
    if colour:
        red, green, blue = colour
        yield f"    PEAKCOL {IS_SET | blue << 16 | green << 8 | red}"
    yield f"    MUTESOLO {int(muted)} 0 0"
    yield f"    NCHAN {max(2, source.properties.channels + source.properties.channels % 2)}"
    yield "    <ITEM"
    yield "      POSITION 0"
    yield f"      LENGTH {source.properties.seconds:.9f}"
    yield "      LOOP 0"
    yield f"      NAME {label}"
    yield f"      GUID {_identify(name, 'item')}"
    yield f"      <SOURCE {SOURCES.get(source.path.suffix.lower(), 'WAVE')}"
    yield f"        FILE {quote(Path(os.path.relpath(source.path, folder)).as_posix())}"
    yield "      >"
    yield "    >"
    yield "  >"


def _identify(name: str, kind: str) -> str:
    """The same number each time, so that the same results give the same project."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"msdm {kind} {os.fsencode(name)!r}")
    return f"{{{str(number).upper()}}}"


def quote(text: str) -> str:
    """Text between quotation marks that it does not have; a line break becomes a space."""
    line = " ".join(text.splitlines())
    mark = next((mark for mark in QUOTES if mark not in line), None)
    if mark is None:
        mark = QUOTES[-1]
        line = line.replace(mark, "'")
    return f"{mark}{line}{mark}"


def _find_tempo(opened: StemFolder) -> tuple[float, int, int] | None:
    """Beats a minute and the metre that were asked for, or heard; None if there are none."""
    options = opened.manifest.parse_request().options if opened.manifest else None
    controls = getattr(options, "controls", None)
    if opened.manifest is None or controls is None or opened.manifest.tempo is None:
        return None
    beats, unit = controls.meter.split("/")
    return opened.manifest.tempo, int(beats), int(unit)
