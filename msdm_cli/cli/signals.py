"""Ctrl-C, SIGTERM and SIGHUP: the first one stops the work after its network call.

The second one ends the process at once. Python runs a handler only between two instructions of the
main thread, which may be in a network call for seconds. So a thread of its own listens: it says at
once what happens, and it can end the process while the others compute.
"""

import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""The signals that ask a program to end, on one system or another."""

SIGNAL_BASE = 128
"""A shell's exit code for a program that a signal has ended is this plus the signal's number."""

SAME_SECONDS = 0.1
"""Signals closer than this are one: timeout(1) sends one to the process and one to its group."""

JOIN_SECONDS = 1.0
SHOW_CURSOR = b"\x1b[?25h"

_folders: set[str] = set()
_listeners: list[Callable[[], None]] = []


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed afterwards, also when a signal ends the process at once."""
    import tempfile  # not at the top, since `--help` reads this module

    folder = tempfile.mkdtemp(prefix="msdm-")
    _folders.add(folder)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _folders.discard(folder)


def remove_temporary_folders() -> None:
    """Remove what ``temporary_folder`` has made and a signal has kept it from removing."""
    for folder in list(_folders):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def listen(listener: Callable[[], None]) -> Iterator[None]:
    """Have a function called, in another thread, as soon as the first signal comes."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def leave(exit_code: int) -> None:
    """End this process at once, although threads are in calls that nothing can stop.

    Journals stay valid, as after any end. Output needs no flush: every line is flushed when it is
    written, and a flush could wait for a reader for ever.
    """
    remove_temporary_folders()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    os._exit(exit_code)


class SignalWatch:
    """Watches for signals, as a context manager of the main thread.

    Signals that are ignored stay ignored: nohup, and a shell that starts a program in the
    background, want it so.

    Attributes:
        exit_code: What to end with; None as long as no signal has come.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self._before: dict[int, Any] = {}
        self._announcers: list[threading.Thread] = []
        self._announced = threading.Event()
        self._wakeup = -1
        self._receiver, self._sender = socket.socketpair()

    def __enter__(self) -> "SignalWatch":
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) in (signal.SIG_IGN, None):
                continue
            self._before[int(number)] = signal.signal(number, self._interrupt)
        self._sender.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.exit_code is not None:
            # A thread that writes must not meet Python's end.
            self._announced.wait(JOIN_SECONDS)
            for announcer in self._announcers:
                announcer.join(JOIN_SECONDS)
            return  # the process ends: a second signal still ends it at once
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._sender.close()
        self._thread.join(JOIN_SECONDS)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Stop the main thread, once."""
        if self.exit_code is None:
            self.exit_code = SIGNAL_BASE + number
            raise KeyboardInterrupt

    def _watch(self) -> None:
        """Receive the numbers of signals, a byte each, until the sender is closed."""
        first = None
        with self._receiver:
            while received := self._receiver.recv(1):
                if received[0] not in self._before:
                    continue
                now = time.monotonic()
                if first is None:
                    first = now
                    self._announce()
                elif now - first > SAME_SECONDS:
                    leave(SIGNAL_BASE + received[0])

    def _announce(self) -> None:
        """Call the listeners in threads: one that must wait for a reader does not stop this one."""
        for listener in tuple(_listeners):
            thread = threading.Thread(target=listener, daemon=True)
            self._announcers.append(thread)
            thread.start()
        self._announced.set()
