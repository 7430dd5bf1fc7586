"""How long work reports how far it is, without knowing who looks."""

from typing import Protocol


class Progress(Protocol):
    """Receives what was done, out of a total that is known when the work begins."""

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
