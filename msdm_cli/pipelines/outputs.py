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


def check_vacant(paths: Sequence[Path], overwrite: bool) -> None:
    """Refuse to write over what is there.

    Raises:
        UnwritableAudio: A file exists, and ``overwrite`` is not set.
    """
    taken = [path for path in paths if path.exists()]
    if taken and not overwrite:
        raise UnwritableAudio(f"{taken[0]}: is there already", "Say --overwrite to replace it, or choose another -o.")


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
        for destination, source in self._copies.items():
            _copy(source, destination)
        for writer in self._writers.values():
            writer.commit()

    def write(self, name: str, block: NDArray[np.float32] | NDArray[np.int32]) -> None:
        """Append samples to one file, ``[C, n]``."""
        self._writers[name].write(block)

    @property
    def clipped(self) -> int:
        """Samples beyond full scale that were clipped so far."""
        return sum(writer.clipped for writer in self._writers.values())


def _copy(source: Path, destination: Path) -> None:
    temporary = destination.with_name(f".{destination.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(destination)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UnwritableAudio(
            f"{destination}: cannot be written ({error})", "Make room on the disk, or choose another -o."
        ) from error
