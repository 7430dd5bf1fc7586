"""The standard streams of a process, whatever is behind them.

A reader may go (``| head -1``), a disk may be full, an encoding may lack a character, and a stream
may be closed from the start (``>&-``). None of this may end the work.
"""

import contextlib
import errno
import os
import sys
from types import TracebackType
from typing import IO, Any

from msdm_cli.cli.hints import find_errno_hint
from msdm_cli.errors import MsdmError

GONE = {errno.EPIPE, errno.ECONNRESET, *((errno.EINVAL,) if os.name == "nt" else ())}
"""What a write gives when nobody reads any more. They have seen what they wanted."""

STANDARD_FILES = 3
NAMES = ("stdin", "stdout", "stderr")


class ForgivingStream:
    """A text stream that goes on after an error, and writes what an encoding lacks as an escape.

    Args:
        stream: What is written to.

    Attributes:
        error: The first error; what was written after it is lost.
    """

    def __init__(self, stream: Any) -> None:
        self.error: OSError | None = None
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text."""
        if self.error is None:
            try:
                self._stream.write(self._encodable(text))
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Write what is held back."""
        if self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._fail(error)

    def _encodable(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _fail(self, error: OSError) -> None:
        self.error = error
        # What the stream still holds would fail again when Python ends.
        with contextlib.suppress(OSError, ValueError):
            number = self._stream.fileno()
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, number)
            os.close(null)


class StandardStreams:
    """Makes the standard streams forgiving, as a context manager.

    A stream that is closed is opened on nothing, so that no other file gets its number.
    """

    def __init__(self) -> None:
        self._before: dict[str, IO[str] | None] = {}
        self._out: ForgivingStream | None = None

    def __enter__(self) -> "StandardStreams":
        for number in range(STANDARD_FILES):
            try:
                os.fstat(number)
            except OSError:  # noqa: PERF203  three times
                os.open(os.devnull, os.O_RDWR)  # takes the smallest number that is free
        self._before = {name: getattr(sys, name) for name in NAMES}
        for number, name in enumerate(NAMES):
            if name == "stdin":
                continue
            stream = getattr(sys, name) or open(number, "w", closefd=False)
            setattr(sys, name, ForgivingStream(stream))
        self._out = sys.stdout  # type: ignore[assignment]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in NAMES[1:]:
            if self._before[name] is not None:
                getattr(sys, name).flush()
                setattr(sys, name, self._before[name])

    def find_failure(self) -> MsdmError | None:
        """Why what was written to the standard output is lost; None if it is not."""
        assert self._out is not None
        self._out.flush()
        error = self._out.error
        if error is None or error.errno in GONE:
            return None
        return describe_lost_output(error)


def describe_lost_output(error: OSError) -> MsdmError:
    """The error of a standard output that cannot be written."""
    return MsdmError(
        f"the standard output cannot be written ({error.strerror or error})",
        find_errno_hint(error, "write to another place"),
    )


def is_input_closed() -> bool:
    """Whether the standard input was closed when the process began."""
    return sys.stdin is None


def is_output_closed() -> bool:
    """Whether the standard output was closed when the process began."""
    return sys.__stdout__ is None
