"""What runs a job of a batch, here or elsewhere, and makes what goes with its results."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from msdm_cli.cli.beside import Beside
from msdm_cli.cli.display import Display
from msdm_cli.jobs.remote.addresses import is_address

if TYPE_CHECKING:
    from msdm_cli.jobs.executors import Work
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.jobs.result import JobResult
    from msdm_cli.models.load import LoadedModel

Load = Callable[[], "LoadedModel"]
"""Loads the model of a batch."""

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
        from msdm_cli.jobs.remote.stage import run_staged
        from msdm_cli.jobs.run import run_alone

        def run(local: "JobRequest") -> "JobResult":
            result = run_alone(name, local)
            beside = Beside(LogDisplay(quiet=True), self.page, self.project, self.midi)
            return replace(result, beside=beside.add(result))

        return run_staged(request, run)


def prepare(load: Load, beside: Beside) -> "tuple[str, Work]":
    """What a batch in this process is called, and what runs a job of it."""
    from msdm_cli.jobs.remote.stage import run_staged
    from msdm_cli.jobs.run import run_job

    model = load()

    def work(name: str, request: "JobRequest") -> "JobResult":
        def run(local: "JobRequest") -> "JobResult":
            result = run_job(local, model, beside.display.piece(name))
            # What goes elsewhere goes with all that belongs beside it.
            moves = is_address(request.folder)
            return replace(result, beside=beside.add(result)) if moves else result

        return run_staged(request, run)

    return str(model.runtime), work


def send(load: Load, beside: Beside) -> "tuple[str, Work]":
    """The same for a batch that leaves this process."""
    del load  # each machine loads it
    work = WorkElsewhere(beside.page, beside.project, beside.midi)
    return "on a cluster", work
