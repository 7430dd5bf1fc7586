"""The files that a task writes: all of them appear, or none."""

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.files import StemWriter, output_subtype
from msdm_cli.errors import UnwritableAudio

MIXTURE = "mixture"


@dataclass(frozen=True)
class OutputOptions:
    """How results are written.

    Attributes:
        file_format: wav, flac or ogg.
        subtype: How samples are stored, in libsndfile's terms; as in the input if None.
        overwrite: Replace files that are there.
    """

    file_format: str = "wav"
    subtype: str | None = None
    overwrite: bool = False

    def resolve_subtype(self, source: str) -> str:
        """Subtype of the output for an input of subtype ``source``."""
        return output_subtype(self.file_format, self.subtype, source)


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
            raise UnwritableAudio(f"{path}: is an input, and would be replaced", "Choose another -o.")
        # os.path, unlike pathlib, takes a folder that may not be searched for one without the file.
        if os.path.isdir(path) or (os.path.exists(path) and not overwrite):  # noqa: PTH110, PTH112
            raise UnwritableAudio(f"{path}: is there already", "Say --overwrite to replace it, or choose another -o.")


@dataclass(frozen=True)
class SoundShape:
    """What the files of a task have in common.

    Attributes:
        sample_rate: In hertz.
        channels: Number of channels.
        frames: Length, in samples.
        subtype: How samples are stored.
    """

    sample_rate: int
    channels: int
    frames: int
    subtype: str


class OutputFiles:
    """Writers of several files of one shape. They get their names together, at the end of a ``with`` block.

    Args:
        paths: Final path of each name.
        shape: What the files have in common.
        copies: Files that are copied as they are: destination and source.
    """

    def __init__(self, paths: Mapping[str, Path], shape: SoundShape, copies: Mapping[Path, Path] | None = None) -> None:
        self.paths, self.shape, self._copies = dict(paths), shape, dict(copies or {})
        self._writers: dict[str, StemWriter] = {}
        with ExitStack() as stack:
            for name, path in self.paths.items():
                writer = StemWriter(path, shape.sample_rate, shape.channels, shape.subtype, shape.frames)
                self._writers[name] = stack.enter_context(writer)
            self._stack = stack.pop_all()

    def __enter__(self) -> "OutputFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if kind is None:
                self._commit()

    def _commit(self) -> None:
        for writer in self._writers.values():
            writer.finish()
        with ExitStack() as stack:
            copies = [stack.enter_context(_Copy(source, path)) for path, source in self._copies.items()]
            files: list[_Copy | StemWriter] = [*copies, *self._writers.values()]
            for file in files:
                file.commit()

    def write(self, name: str, block: NDArray[np.float32] | NDArray[np.int32]) -> None:
        """Append samples to one file, ``[C, n]``."""
        self._writers[name].write(block)

    @property
    def clipped(self) -> int:
        """Samples beyond full scale that the files clipped so far."""
        return sum(writer.clipped for writer in self._writers.values())


class _Copy:
    """A copy of a file under a temporary name, until it is committed."""

    def __init__(self, source: Path, path: Path) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(source, self._temporary)
        except OSError as error:
            self.__exit__()
            raise self._failed(error) from error

    def __enter__(self) -> "_Copy":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def commit(self) -> None:
        try:
            self._temporary.replace(self.path)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> UnwritableAudio:
        return UnwritableAudio(f"{self.path}: cannot be written ({error})", "Make room on the disk, or choose -o.")
