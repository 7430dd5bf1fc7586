"""How long work reports how far it is, without knowing who looks."""

from typing import Protocol


class Progress(Protocol):
    """Receives what was done, out of a total that is known when the work begins.

    A receiver may have a method ``skip(units)`` beside these: it is called instead of ``advance``
    for what an earlier run has done and for what need not be done, so that the time left can be
    told from other work alone.
    """

    def start(self, label: str, total: int, unit: str = "calls") -> None:
        """Begin a piece of work of ``total`` units: network calls, or bytes."""
        ...

    def advance(self, units: int = 1) -> None:
        """Report that some units are done. It may raise KeyboardInterrupt to stop the work."""
        ...


class SilentProgress:
    """Reports to nobody."""

    def start(self, label: str, total: int, unit: str = "calls") -> None:
        """Ignore it."""

    def advance(self, units: int = 1) -> None:
        """Ignore it."""


def report_skipped(progress: Progress, units: int) -> None:
    """Report units that nobody works on, by ``skip`` if there is one."""
    report = getattr(progress, "skip", progress.advance)
    report(units)
