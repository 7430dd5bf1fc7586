"""Work that leaves this process: a job, and what belongs beside its results."""

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from msdm_cli.cli.beside import Beside
from msdm_cli.cli.display import Display

if TYPE_CHECKING:
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.jobs.result import JobResult

log = logging.getLogger(__name__)


class LogDisplay(Display):
    """Says what it is told to the log, which reaches the one who has asked for the work."""

    def say(self, message: str) -> None:
        """Log a message."""
        log.info("%s", message)


@dataclass(frozen=True)
class WorkElsewhere:
    """Runs a job with a model of its own, and makes what belongs beside its results there.

    Attributes:
        page: As in ``Beside``.
        project: As there.
        midi: As there.
    """

    page: bool
    project: str | None
    midi: bool

    def __call__(self, name: str, request: "JobRequest") -> "JobResult":
        """Run a job.

        Raises:
            MsdmError: As ``run_alone``.
        """
        from msdm_cli.jobs.run import run_alone

        result = run_alone(name, request)
        beside = Beside(LogDisplay(quiet=True), self.page, self.project, self.midi)
        return replace(result, beside=beside.add(result))
