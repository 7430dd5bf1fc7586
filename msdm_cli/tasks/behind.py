"""Writing the last chunk while the network runs."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any


class Behind:
    """Does calls in a thread, one at a time and in order. As a context manager it waits for the last one.

    A call that fails is said by the next one, or at the end.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._pending: Future[Any] | None = None

    def __enter__(self) -> "Behind":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._pool:
            if kind is None:
                self._wait()

    def do(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Begin a call, after the one before it has ended."""
        self._wait()
        self._pending = self._pool.submit(function, *arguments, **options)

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending:
            pending.result()
