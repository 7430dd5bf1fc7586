"""A folder of stems: results of a job, or files that somebody has put there."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msdm_cli.audio.formats import readable_suffixes
from msdm_cli.audio.mix import is_mix
from msdm_cli.audio.stem_finish import MIXTURE
from msdm_cli.errors import MissingStems, UnreadableManifest
from msdm_cli.jobs.manifest import Manifest, list_manifests, load_manifest
from msdm_cli.jobs.output import prefix_mixes

COLOURS = {
    "bass": (116, 92, 214),
    "drums": (214, 112, 36),
    "guitar": (38, 150, 96),
    "piano": (36, 128, 204),
    "vocals": (205, 62, 128),
}
"""Red, green and blue of the usual stems, on pages and in projects."""


@dataclass(frozen=True)
class StemFolder:
    """Stems and mixes of one song.

    Attributes:
        folder: Where they lie.
        song: Name of the song.
        stems: Files by the name of the stem.
        mixes: Files that hold several stems, by name.
        manifest: Says how they were made; None if nothing does.
        manifest_path: Where it lies.
    """

    folder: Path
    song: str
    stems: dict[str, Path]
    mixes: dict[str, Path]
    manifest: Manifest | None = None
    manifest_path: Path | None = None

    def place_mix(self, name: str) -> Path:
        """Where a mix that is made of the stems goes, without suffix."""
        prefix = "" if self.manifest_path is None else prefix_mixes(self.manifest_path)
        return self.folder / f"{prefix}{name}"

    def repeats_stems(self, mix: str) -> bool:
        """Whether a mix holds a stem that is there: together, they would be heard twice."""
        options = self.manifest.parse_request().options if self.manifest else None
        gains = getattr(options, "mixes", {}).get(mix, {})
        return any(gains.get(stem, 1.0) for stem in self.stems)

    def list_unwritten(self, stems: Iterable[str]) -> list[str]:
        """Those of a model's stems that the song has, but that were not written.

        Args:
            stems: The model's.
        """
        if self.manifest is None:
            return []
        request = self.manifest.parse_request()
        if request.task != "separate":
            return []
        there = {*self.stems, *request.options.absent}
        return [stem for stem in stems if stem not in there]


def open_stem_folder(path: Path) -> StemFolder:
    """The stems in a folder, or those that a manifest lists.

    Args:
        path: A folder, or a manifest.

    Raises:
        MissingStems: There are none.
        UnreadableManifest: The manifest is damaged, or the folder holds several.
    """
    found = list_manifests(path) if path.is_dir() else [path]
    if len(found) > 1:
        raise UnreadableManifest(
            f"{path}: holds the results of several songs, {', '.join(one.name for one in found)}",
            "Name one of these files.",
        )
    opened = _open_listed(found[0]) if found else _open_unlisted(path)
    if not (opened.stems or opened.mixes):
        raise MissingStems(f"{path}: holds no sound files", "Name a folder of stems.")
    return opened


def _open_listed(path: Path) -> StemFolder:
    manifest = load_manifest(path)
    folder = path.parent
    files = {name: record.locate(folder) for name, record in manifest.files.items()}
    options = manifest.parse_request().options
    mixed = {MIXTURE, *getattr(options, "mixes", ())}
    stems = {name: file for name, file in files.items() if name not in mixed}
    mixes = {name: file for name, file in files.items() if name in mixed}
    later = manifest.list_mixes(path)
    others = (file for file in _list_sounds(folder) if file in later)
    mixes |= _name(file for file in others if file not in files.values())
    song = manifest.parse_request().track or folder.absolute().name
    return StemFolder(folder, song, stems, mixes, manifest, path)


def _open_unlisted(folder: Path) -> StemFolder:
    files = _list_sounds(folder)
    mixed = [file for file in files if file.stem == MIXTURE or is_mix(file.stem)]
    stems = _name(file for file in files if file not in mixed)
    return StemFolder(folder, folder.absolute().name, stems, _name(mixed))


def _list_sounds(folder: Path) -> list[Path]:
    suffixes = readable_suffixes()
    try:
        found = [file for file in folder.iterdir() if file.suffix.lower() in suffixes]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise MissingStems(f"{folder}: {reason}", "Name a folder of stems.") from error
    return sorted(file for file in found if file.is_file() and not file.name.startswith("."))


def _name(files: Iterable[Path]) -> dict[str, Path]:
    """Files by their names without suffix, or with it where two would be the same."""
    named: dict[str, Path] = {}
    for file in files:
        named[file.name if file.stem in named else file.stem] = file
    return named
