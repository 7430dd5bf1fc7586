"""The files that a task writes: all of them appear, or none."""

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.files import FORMATS, PCM_BITS, StemWriter, output_subtype
from msdm_cli.errors import UnwritableAudio
from msdm_cli.jobs.manifest import MANIFEST, SUFFIX, FileRecord
from msdm_cli.models.verify import digest

MIXTURE = "mixture"
NAME = "{track}/{stem}.{ext}"
SYSTEMS = (PurePosixPath, PureWindowsPath)
UNSCALED = ("FLOAT", "DOUBLE")
MARGIN_UNITS = 4  # of rounding, below full scale


@dataclass(frozen=True)
class OutputOptions:
    """How results are written.

    Attributes:
        file_format: wav, flac or ogg.
        subtype: How samples are stored, in libsndfile's terms; as in the input if None.
        overwrite: Replace files that are there.
        name: Where a stem goes, with the fields track, stem and ext.
    """

    file_format: str = "wav"
    subtype: str | None = None
    overwrite: bool = False
    name: str = NAME

    def __post_init__(self) -> None:
        if self.file_format not in FORMATS:
            raise ValueError(f"expected a format of {', '.join(FORMATS)}, got {self.file_format}")
        try:
            names = {
                self.name.format(track="track", stem=stem, ext="wav") for stem in ("one", "two")
            }
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                f"expected a name of {{track}}, {{stem}} and {{ext}}, got {self.name}"
            ) from error
        if not self.name.endswith(
            ".{ext}"
        ):  # the suffix is the format, and the manifest's is another one
            raise ValueError(f"expected a name that ends in .{{ext}}, got {self.name}")
        # A manifest may come from another system: its names must stay inside on every one.
        if len(names) < 2 or not all(
            _leads_inside(kind(name)) for name in names for kind in SYSTEMS
        ):
            raise ValueError(
                f"expected a name inside the folder that has {{stem}}, got {self.name}"
            )

    def resolve_subtype(self, source: str) -> str:
        """Subtype of the output for an input of subtype ``source``."""
        return output_subtype(self.file_format, self.subtype, source)

    def place(self, folder: Path, track: str, stem: str) -> Path:
        """Where a stem of a song goes.

        Raises:
            UnwritableAudio: The name of the song leads out of the folder.
        """
        return self._place(folder, track, stem, self.file_format)

    def place_manifest(self, folder: Path, track: str) -> Path:
        """Where the manifest of a song goes: where a stem called msdm would, in JSON."""
        return self._place(folder, track, MANIFEST, SUFFIX)

    def _place(self, folder: Path, track: str, stem: str, ext: str) -> Path:
        name = self.name.format(track=track, stem=stem, ext=ext)
        if not _leads_inside(PurePath(name)):
            raise UnwritableAudio(
                f"{folder / name}: is not inside {folder}", "Rename the song, or choose a --name."
            )
        return folder / name


def _leads_inside(path: PurePath) -> bool:
    """Whether a relative path stays inside the folder that it starts from."""
    return not (path.drive or path.root or ".." in path.parts)


def fit_gain(peak: float, subtype: str) -> float:
    """Gain that brings a peak within full scale; 1 if it is, or if the subtype has no full scale."""
    if subtype in UNSCALED or peak <= 1:
        return 1.0
    unit = 2.0 ** (1 - PCM_BITS.get(subtype, 16))
    return (1 - MARGIN_UNITS * unit) / peak


def check_vacant(paths: Sequence[Path], inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse to write over what is there; over an input, always.

    Args:
        paths: What would be written.
        inputs: What is read.
        overwrite: Whether other files may be replaced.

    Raises:
        UnwritableAudio: A path is an input or a folder, or it exists and ``overwrite`` is not set.
    """
    read = {os.path.realpath(path) for path in inputs}
    for path in paths:
        if os.path.realpath(path) in read:
            raise UnwritableAudio(
                f"{path}: is an input, and would be replaced", "Choose another -o."
            )
        # os.path, unlike pathlib, takes a folder that may not be searched for one without the file.
        if os.path.isdir(path) or (os.path.exists(path) and not overwrite):  # noqa: PTH110, PTH112
            raise UnwritableAudio(
                f"{path}: is there already", "Say --overwrite to replace it, or choose another -o."
            )


@dataclass(frozen=True)
class SoundShape:
    """What the files of a task have in common.

    Attributes:
        sample_rate: In hertz.
        channels: Number of channels.
        frames: Length, in samples.
        subtype: How samples are stored.
        tags: Title and the like of the song.
    """

    sample_rate: int
    channels: int
    frames: int
    subtype: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def tag(self, stem: str) -> dict[str, str]:
        """The tags of a stem: the song's, with the stem in the title."""
        title = self.tags.get("title")
        return {**self.tags, "title": f"{title} ({stem})"} if title else dict(self.tags)


class OutputFiles:
    """Writers of several files of one shape. They get their names together, by ``commit``.

    As a context manager it leaves nothing behind unless that was called.

    Args:
        paths: Final path of each name.
        shape: What the files have in common.
        copies: By name, files that are copied as they are.
    """

    def __init__(
        self, paths: Mapping[str, Path], shape: SoundShape, copies: Mapping[str, Path] | None = None
    ) -> None:
        self.paths, self.shape, self._copies = dict(paths), shape, dict(copies or {})
        self._writers: dict[str, StemWriter] = {}
        self._files: dict[str, StemWriter | _Copy] = {}
        with ExitStack() as stack:
            for name, path in self.paths.items():
                if name not in self._copies:
                    writer = StemWriter(
                        path,
                        shape.sample_rate,
                        shape.channels,
                        shape.subtype,
                        shape.frames,
                        shape.tag(name),
                    )
                    self._writers[name] = stack.enter_context(writer)
            self._stack = stack.pop_all()

    def __enter__(self) -> "OutputFiles":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def write(self, name: str, block: NDArray[np.float32] | NDArray[np.int32]) -> None:
        """Append samples to one file, ``[C, n]``."""
        self._writers[name].write(block)

    def finish(self, folder: Path) -> dict[str, FileRecord]:
        """Complete all files, still under temporary names, and describe them.

        Args:
            folder: What their paths are told relative to.

        Raises:
            UnwritableAudio: What lies on the disk is not what was written.
        """
        for writer in self._writers.values():
            writer.finish()
        copies = {
            name: self._stack.enter_context(_Copy(source, self.paths[name]))
            for name, source in self._copies.items()
        }
        self._files = {**copies, **self._writers}
        return {
            name: FileRecord(
                path=Path(os.path.relpath(self.paths[name], folder)).as_posix(),
                sha256=digest(file.temporary),
                size_bytes=file.temporary.stat().st_size,
            )
            for name, file in self._files.items()
        }

    def commit(self) -> None:
        """Give all files their names, after ``finish``."""
        for file in self._files.values():
            file.commit()

    @property
    def clipped(self) -> int:
        """Samples beyond full scale that the files clipped so far."""
        return sum(writer.clipped for writer in self._writers.values())


class _Copy:
    """A copy of a file under a temporary name, until it is committed."""

    def __init__(self, source: Path, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.part")
        try:
            shutil.copyfile(source, self.temporary)
        except OSError as error:
            self.__exit__()
            raise self._failed(error) from error

    def __enter__(self) -> "_Copy":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)

    def commit(self) -> None:
        try:
            self.temporary.replace(self.path)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> UnwritableAudio:
        return UnwritableAudio(
            f"{self.path}: cannot be written ({error})", "Make room on the disk, or choose -o."
        )
