"""Where results go: names, formats, and what they must not replace."""

import os
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from msdm_cli.audio.formats import (
    FORMATS,
    SUBTYPES,
    Subtype,
    check_channels,
    choose_rate,
    choose_subtype,
    writable_formats,
)
from msdm_cli.audio.resample import resampled_length
from msdm_cli.audio.source import RATES_HZ, AudioProperties
from msdm_cli.errors import ReplacesInput, ResultsExist, StrayName, UnwritableResults

NAME = "{track}/{stem}.{ext}"
FIELDS = ("track", "stem", "ext")
MANIFEST = "msdm"
MANIFEST_SUFFIX = "json"
DESCRIBED = (
    "is there already, for other settings or another song, or for files that were changed since"
)
"""What is said of a manifest that is in the way: that of the same results would not be."""
SYSTEMS = (PurePosixPath, PureWindowsPath)


@dataclass(frozen=True)
class OutputOptions:
    """How results are written.

    Attributes:
        file_format: A format that can be written, by its name in ``msdm_cli.audio.formats``.
        subtype: How samples are stored, in libsndfile's terms; as in the input if None.
        name: Path of a stem in the folder of results, with the fields track, stem and ext.
        rate: Sample rate of the results, in hertz; as in the input if None, where the format has
            it.
    """

    file_format: str = "wav"
    subtype: str | None = None
    name: str = NAME
    rate: int | None = None

    def __post_init__(self) -> None:
        if self.file_format not in writable_formats():
            known = ", ".join(writable_formats())
            raise ValueError(f"expected a format of {known}, got {self.file_format}")
        if self.subtype is not None and self.subtype not in SUBTYPES:
            raise ValueError(f"expected a subtype of {', '.join(SUBTYPES)}, got {self.subtype}")
        low, high = RATES_HZ
        if self.rate is not None and not low <= self.rate <= high:
            raise ValueError(f"expected a rate of {low} to {high} Hz, got {self.rate}")
        rates = FORMATS[self.file_format].rates
        if self.rate is not None and rates and self.rate not in rates:
            known = ", ".join(map(str, rates))
            raise ValueError(f"expected a rate of {known} for {self.file_format}, got {self.rate}")
        _check_fields(self.name)
        fields = {"track": "track", "ext": "wav"}
        names = {self.name.format(stem=stem, **fields) for stem in ("one", "two")}
        # The suffix is the format, and the manifest has another one.
        if not self.name.endswith(".{ext}"):
            raise ValueError(f"expected a name that ends in .{{ext}}, got {self.name}")
        # A manifest may come from another system: its names must stay inside on every one.
        inside = all(_leads_inside(kind(name)) for name in names for kind in SYSTEMS)
        if len(names) < 2 or not inside:
            raise ValueError(
                f"expected a name inside the folder that has {{stem}}, got {self.name}"
            )

    def choose_subtype(self, source: str) -> Subtype:
        """Subtype of the results for an input of subtype ``source``.

        Raises:
            UnwritableAudio: The format does not have the subtype that was asked for.
        """
        return choose_subtype(self.file_format, self.subtype, source)

    def describe(self, sound: AudioProperties) -> AudioProperties:
        """Rate and length of the results for such a sound.

        Raises:
            UnwritableAudio: The format has fewer channels.
        """
        check_channels(self.file_format, sound.channels)
        rate = choose_rate(self.file_format, self.rate, sound.sample_rate)
        frames = resampled_length(sound.frames, sound.sample_rate, rate)
        return replace(sound, sample_rate=rate, frames=frames)

    def place(self, folder: Path, track: str, stem: str) -> Path:
        """Where a stem of a song goes.

        Raises:
            StrayName: The name of the song leads out of the folder.
        """
        return self._place(folder, track, stem, self.file_format)

    def place_manifest(self, folder: Path, track: str) -> Path:
        """Where the manifest of a song goes: where a stem called msdm would, in JSON.

        Raises:
            StrayName: The name of the song leads out of the folder.
        """
        return self._place(folder, track, MANIFEST, MANIFEST_SUFFIX)

    def _place(self, folder: Path, track: str, stem: str, ext: str) -> Path:
        name = self.name.format(track=track, stem=stem, ext=ext)
        if not _leads_inside(PurePath(name)):
            raise StrayName(
                f"{folder / name}: is not inside {folder}", "Rename the song, or its results."
            )
        return folder / name


def place_beside(manifest: Path, name: str, suffix: str) -> Path:
    """Where a file about results goes: ``song-index.html`` beside ``song-msdm.json``.

    Where the song ends the name, that alone tells its files from others: ``msdm/song.html`` lies
    beside ``msdm/song.json``.

    Args:
        manifest: Where the manifest of the results lies.
        name: What the file is called.
        suffix: Of the file.
    """
    usual = f"{MANIFEST}.{MANIFEST_SUFFIX}"
    if not manifest.name.endswith(usual):
        return manifest.with_suffix(suffix)
    return manifest.with_name(f"{manifest.name.removesuffix(usual)}{name}{suffix}")


def prefix_mixes(manifest: Path) -> str:
    """What the names of mixes that are made later begin with, beside ``song-msdm.json``: ``song-``.

    It tells them from the mixes of other songs in the folder. Mixes of earlier versions had none.

    Args:
        manifest: Where the manifest of the stems lies.
    """
    usual = f"{MANIFEST}.{MANIFEST_SUFFIX}"
    if manifest.name.endswith(usual):
        return manifest.name.removesuffix(usual)
    return f"{manifest.stem} "


def _check_fields(name: str) -> None:
    """Refuse fields that are unknown, or that would be padded: ``{track:>3000000000}``.

    Raises:
        ValueError: There are some.
    """
    try:
        fields = [field for field in string.Formatter().parse(name) if field[1] is not None]
    except ValueError:  # a brace without its partner
        fields = [("", None, "", None)]
    if any(field not in FIELDS or spec or conversion for _, field, spec, conversion in fields):
        raise ValueError(f"expected a name of {{track}}, {{stem}} and {{ext}}, got {name}")


def _leads_inside(path: PurePath) -> bool:
    """Whether a relative path stays inside the folder that it starts from."""
    return not (path.drive or path.root or ".." in path.parts)


def check_links(folder: Path, paths: Iterable[Path]) -> None:
    """Refuse to write through a link to another folder.

    Args:
        folder: Folder of the results. It may be a link itself: somebody has named it.
        paths: What would be written in there.

    Raises:
        UnwritableResults: A folder on the way is a link.
    """
    for path in paths:
        for parent in path.parents:
            if parent == folder or not parent.is_relative_to(folder):
                break
            if parent.is_symlink():
                raise UnwritableResults(
                    f"{parent}: is a link, and nothing is written through one",
                    "Remove it, or choose another folder.",
                )


def check_vacant(paths: Sequence[Path], inputs: Mapping[str, Path], *, overwrite: bool) -> None:
    """Refuse to write over what is there; over an input, always.

    Args:
        paths: What would be written.
        inputs: What is read, by its role.
        overwrite: Whether other files may be replaced.

    Raises:
        ReplacesInput: A path is an input.
        ResultsExist: A path is a folder, or it exists and ``overwrite`` is not set.
    """
    read = {os.path.realpath(path) for path in inputs.values()}
    described = f".{MANIFEST_SUFFIX}"
    for path in sorted(paths, key=lambda path: path.suffix != described):  # it says more
        if os.path.realpath(path) in read:
            raise ReplacesInput(
                f"{path}: is an input, and would be replaced", "Choose another folder."
            )
        # os.path, unlike pathlib, takes a folder that may not be searched for one without the file.
        exists = os.path.exists(path)  # noqa: PTH110
        if os.path.isdir(path) or (exists and not overwrite):  # noqa: PTH112
            there = DESCRIBED if path.suffix == described else "is there already"
            raise ResultsExist(f"{path}: {there}", "Allow to replace it, or choose another folder.")
