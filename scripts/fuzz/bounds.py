"""What an input may cost."""

import contextlib
import faulthandler
import gc
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

MOST_SECONDS = 10.0
MOST_GROWTH_BYTES = 300_000_000
STUCK_SECONDS = 60.0
PAGES = Path("/proc/self/status")


class TooCostly(AssertionError):
    """An input took too long, or too much memory."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Watch time and memory of what is done inside. The process ends if it is stuck.

    Raises:
        TooCostly: It has taken too much.
        AssertionError: Somebody has written to the standard error: a library that warns.
    """
    before = _reset_peak()
    began = time.process_time()
    with _quiet() as shown, warnings.catch_warnings():
        warnings.simplefilter("error")
        faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True, file=shown)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
    taken = time.process_time() - began
    if taken > MOST_SECONDS:
        raise TooCostly(f"{taken:.1f} s")
    growth = _read("VmHWM") - before
    if growth > MOST_GROWTH_BYTES:
        raise TooCostly(f"{growth / 1e6:.0f} MB")


@contextlib.contextmanager
def _quiet() -> Iterator[int]:
    """Catch what is written to the standard error, also by libraries in C; gives the real one."""
    real = os.dup(2)
    try:
        with tempfile.TemporaryFile() as caught:
            os.dup2(caught.fileno(), 2)
            try:
                yield real
            finally:
                os.dup2(real, 2)
            caught.seek(0)
            said = caught.read(2000).decode(errors="replace")
    finally:
        os.close(real)
    assert not said, said


def _reset_peak() -> int:
    """Begin to measure the largest memory anew; the memory now, in bytes."""
    gc.collect(0)
    with contextlib.suppress(OSError):  # another system than Linux: the peak is that of all before
        Path("/proc/self/clear_refs").write_text("5")
    return _read("VmRSS")


def _read(name: str) -> int:
    """A figure of this process, in bytes; 0 where there is none."""
    with contextlib.suppress(OSError):
        for line in PAGES.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return 1024 * int(line.split()[1])
    return 0
