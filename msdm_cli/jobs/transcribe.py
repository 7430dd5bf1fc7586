"""Notes of results, as MIDI files beside them."""

from pathlib import Path

from msdm_cli.audio.file_source import FileSource
from msdm_cli.errors import UnwritableResults
from msdm_cli.jobs.stem_folder import open_stem_folder
from msdm_cli.midi.midi_file import MARK, USUAL_TEMPO, write_midi
from msdm_cli.midi.notes import transcribe
from msdm_cli.tasks.tonality import UNPITCHED
from msdm_cli.temporary import write_whole

SUFFIX = ".mid"
MARKED_BYTES = 64


def write_notes(manifest: Path, *, anew: bool = True) -> tuple[Path, ...]:
    """Write the notes of each new stem beside it. A file of somebody else stays.

    Args:
        manifest: The manifest of the stems.
        anew: Whether to write again what msdm wrote before.

    Returns:
        The files of msdm that are there then.

    Raises:
        ResultsError: The manifest is damaged, or the folder cannot be written.
        AudioError: A stem cannot be read.
        MissingPackage: The package that knows notes is not installed.
    """
    opened = open_stem_folder(manifest)
    request = opened.manifest.parse_request() if opened.manifest else None
    given = set(request.inputs) if request else set()
    # What was drawn in a part alone, or goes on, is given and new.
    copied = given - set(getattr(request.options, "targets", given)) if request else given
    tempo = (opened.manifest.tempo if opened.manifest else None) or USUAL_TEMPO
    written = []
    for name, sound in opened.stems.items():
        if name in copied or name in UNPITCHED:
            continue
        path = sound.with_suffix(SUFFIX)
        if path.exists() and not _is_ours(path):
            continue
        written.append(path)
        if anew or not path.exists():
            content = write_midi(transcribe(FileSource(sound)), name, tempo)
            try:
                write_whole(path, content)
            except OSError as error:
                raise UnwritableResults(
                    f"{path}: cannot be written ({error})", "Make room on the disk."
                ) from error
    return tuple(written)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return MARK in file.read(MARKED_BYTES)
