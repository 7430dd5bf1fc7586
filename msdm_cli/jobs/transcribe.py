"""Notes of results, as MIDI files beside them."""

from pathlib import Path

from msdm_cli.audio.file_source import FileSource
from msdm_cli.errors import UnwritableResults
from msdm_cli.jobs.manifest import Manifest, load_manifest
from msdm_cli.jobs.stem_folder import open_stem_folder
from msdm_cli.midi.midi_file import MARK, USUAL_TEMPO, write_midi
from msdm_cli.midi.notes import transcribe
from msdm_cli.tasks.tonality import UNPITCHED
from msdm_cli.temporary import write_whole

SUFFIX = ".mid"
MARKED_BYTES = 64


def write_notes(manifest: Path) -> tuple[Path, ...]:
    """Write the notes of each new stem beside it, where they are missing.

    Args:
        manifest: The manifest of the stems.

    Returns:
        The files of msdm that are there then. A file of somebody else stays.

    Raises:
        ResultsError: The manifest is damaged, or the folder cannot be written.
        AudioError: A stem cannot be read.
        MissingPackage: The package that knows notes is not installed.
    """
    opened = open_stem_folder(manifest)
    tempo = (opened.manifest.tempo if opened.manifest else None) or USUAL_TEMPO
    copied = _find_copied(opened.manifest) if opened.manifest else set()
    written = []
    for name, sound in opened.stems.items():
        if name in copied or name in UNPITCHED:
            continue
        path = sound.with_suffix(SUFFIX)
        if path.exists() and not _is_ours(path):
            continue
        written.append(path)
        if not path.exists():
            content = write_midi(transcribe(FileSource(sound)), name, tempo)
            try:
                write_whole(path, content)
            except OSError as error:
                raise UnwritableResults(
                    f"{path}: cannot be written ({error})", "Make room on the disk."
                ) from error
    return tuple(written)


def remove_notes(path: Path) -> None:
    """Remove the notes that msdm wrote beside stems which new ones have replaced.

    Args:
        path: The manifest of the new stems.

    Raises:
        UnreadableManifest: It is damaged.
    """
    manifest = load_manifest(path)
    copied = _find_copied(manifest)
    for name, record in manifest.files.items():
        notes = record.locate(path.parent).with_suffix(SUFFIX)
        if name not in copied and _is_ours(notes):
            notes.unlink()


def _find_copied(manifest: Manifest) -> set[str]:
    """Names of the stems that are copies of given ones."""
    request = manifest.parse_request()
    # What was drawn in a part alone, or goes on, is given and new.
    return {*request.inputs} - {*getattr(request.options, "targets", request.inputs)}


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MARK in file.read(MARKED_BYTES)
    except OSError:
        return False
