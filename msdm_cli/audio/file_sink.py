"""Where results go: several sound files that appear together."""

import contextlib
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from msdm_cli.audio.file_writer import (
    Block,
    SoundFileWriter,
    SoundShape,
    write_failure,
)
from msdm_cli.temporary import create_temporary, remove_stale


class FileSink:
    """Writes several files of one shape. They get their names together, by ``commit``.

    As a context manager it leaves nothing behind unless ``commit`` was called. What killed
    processes left is removed, so only one at a time may write these files.

    Args:
        paths: Final path of each name.
        shape: What the files have in common.
        copies: By name, files that are copied as they are.

    Raises:
        UnwritableAudio: A folder cannot be written.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        shape: SoundShape,
        copies: Mapping[str, Path] | None = None,
    ) -> None:
        self.paths = dict(paths)
        self._copies = dict(copies or {})
        self._writers: dict[str, SoundFileWriter] = {}
        self._finished: dict[str, SoundFileWriter | _Copy] = {}
        with ExitStack() as stack:
            for name, path in self.paths.items():
                remove_stale(path)
                if name not in self._copies:
                    writer = SoundFileWriter(path, shape.tag(name))
                    self._writers[name] = stack.enter_context(writer)
            self._stack = stack.pop_all()

    def __enter__(self) -> "FileSink":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, signals: Mapping[str, Block]) -> None:
        """Append samples to the files, ``[C, n]`` each; a name without a file is left out.

        Raises:
            UnwritableAudio: The disk is full, or otherwise fails.
        """
        for name, signal in signals.items():
            if name in self._writers:
                self._writers[name].write(signal)

    def finish(self) -> dict[str, Path]:
        """Complete all files.

        Returns:
            The temporary path of each name.

        Raises:
            UnwritableAudio: What lies on the disk is not what was written.
        """
        for writer in self._writers.values():
            writer.finish()
        for name, source in self._copies.items():
            self._finished[name] = self._stack.enter_context(_Copy(source, self.paths[name]))
        self._finished |= self._writers
        return {name: file.temporary for name, file in self._finished.items() if file.temporary}

    def commit(self) -> None:
        """Give all files their names, after ``finish``.

        Raises:
            UnwritableAudio: The folder does not allow it.
        """
        for file in self._finished.values():
            file.commit()

    @property
    def clipped(self) -> int:
        """Samples beyond full scale that were clipped so far."""
        return sum(writer.clipped for writer in self._writers.values())


class _Copy:
    """A copy of a file under a temporary name, until it is committed."""

    def __init__(self, source: Path, path: Path) -> None:
        self.path = path
        try:
            descriptor, self.temporary = create_temporary(path)
        except OSError as error:
            raise write_failure(path, error) from error
        try:
            with os.fdopen(descriptor, "wb") as target, source.open("rb") as content:
                shutil.copyfileobj(content, target)
        except OSError as error:
            self.__exit__()
            raise write_failure(path, error) from error

    def __enter__(self) -> "_Copy":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)

    def commit(self) -> None:
        """Give the copy its name."""
        try:
            self.temporary.replace(self.path)
        except OSError as error:
            raise write_failure(self.path, error) from error
