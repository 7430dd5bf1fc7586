"""What runs on a machine of the cluster: an actor, which runs one job after the other."""

import logging
import socket

from msdm_cli import __version__
from msdm_cli.jobs.executors import Ended, Work, attempt
from msdm_cli.jobs.request import JobRequest

LOG = logging.getLogger("msdm_cli")


class Messages(logging.Handler):
    """Keeps what the library says, for the program that has asked."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self._kept.append(record.getMessage())

    def drain(self) -> list[str]:
        """The messages since the last call."""
        kept, self._kept = self._kept, []
        return kept


class Worker:
    """Runs jobs. The model of the last one stays loaded.

    Args:
        work: Runs a job.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._messages = Messages()
        LOG.addHandler(self._messages)
        LOG.setLevel(logging.INFO)

    def introduce(self) -> tuple[str, str]:
        """The version of msdm here, and the name of the machine."""
        return __version__, socket.gethostname()

    def run(self, name: str, request: JobRequest) -> tuple[Ended, list[str]]:
        """Run a job: how it ended, and what the library has said."""
        return attempt(name, request, self._work), self._messages.drain()
