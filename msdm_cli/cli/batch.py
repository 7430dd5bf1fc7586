"""Several jobs. A job that fails does not end the others, and the exit code is 1."""

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from msdm_cli.cli.beside import Beside
from msdm_cli.cli.console import show_estimates
from msdm_cli.cli.display import Display
from msdm_cli.cli.folding import shorten_names
from msdm_cli.cli.headway import Headway
from msdm_cli.cli.hints import find_hint
from msdm_cli.cli.outcome import (
    MOST_ROWS,
    WAS_THERE,
    Outcome,
    show_bits,
    show_gain,
    show_heard,
    show_outcomes,
)
from msdm_cli.cli.song_table import SongTable
from msdm_cli.cli.system_errors import describe_failure
from msdm_cli.cli.work import Load, prepare, send
from msdm_cli.errors import FAILURES, MsdmError, ReplacesInput, SamePlace
from msdm_cli.jobs.remote.addresses import is_address

if TYPE_CHECKING:
    from msdm_cli.jobs.executors import Ended, Executor
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.models.load import LoadedModel
    from msdm_cli.models.spec import ModelSpec

WORDS = {"imputed": "take", "variation": "take"}
"""What a job is called on the bar, by what it is called in the summary."""

ALL_THERE = "nothing to do: all results are there"


def check_batch(requests: "Mapping[str, JobRequest]", spec: "ModelSpec") -> None:
    """Refuse jobs whose results would replace each other or an input, before anything runs.

    Raises:
        SamePlace: Two jobs would write the same files.
        StrayName: Names lead out of a folder.
        ReplacesInput: A result would replace an input of any of the jobs.
    """
    seen: dict[str, str] = {}
    inputs = {
        os.path.realpath(path) for request in requests.values() for path in request.inputs.values()
    }
    for name, request in requests.items():
        # Names that differ in upper and lower case are the same on some disks.
        place = str(request.manifest).casefold()
        other = seen.setdefault(place, name)
        if other != name:
            raise SamePlace(
                f"{other} and {name} would both be written to {request.manifest.parent}/",
                "Rename one, or separate them in two runs, each with a folder of its own.",
            )
        for output in request.row.name_outputs(spec, request.options):
            path = request.output.place(request.folder, request.track, output)
            if os.path.realpath(path) in inputs:
                raise ReplacesInput(
                    f"{path}: is an input, and would be replaced", "Choose another folder."
                )


def run_batch(
    kind: str,
    requests: "Mapping[str, JobRequest]",
    load: Load,
    *,
    beside: Beside,
    jobs: int = 1,
    executor: "Executor | None" = None,
) -> None:
    """Run jobs, then show what they have made.

    Args:
        kind: What a job is called in the summary.
        requests: The jobs by name.
        load: Loads the model of all of them. It is called if there is anything to do here.
        beside: Makes pages and the like, and has the display that shows progress.
        jobs: How many run at once.
        executor: What runs them; by the number of jobs if None.

    Raises:
        Exit: A job has failed; with exit code 1.
        ResultsError: The table of all jobs would replace another file, or cannot be written.
    """
    from msdm_cli.jobs.executors import choose_executor

    row = executor or choose_executor(None, jobs)
    with SongTable(beside.table) as table:
        batch = _Batch(kind, requests, beside, table)
        if row.here:  # machines elsewhere find out by themselves, each for its own jobs
            batch.find_done()
        title = batch.run(row, jobs, load) if batch.left else ALL_THERE
    outcomes = [batch.outcomes[name] for name in requests if name in batch.outcomes]
    show_outcomes(kind, title, outcomes, beside.display, len(requests))
    if kind in WORDS:
        _compare(outcomes, beside)
    table.check()
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


def _compare(outcomes: "Sequence[Outcome]", beside: Beside) -> None:
    """Make the page that compares takes, and say where it is."""
    made = [outcome.result for outcome in outcomes if not isinstance(outcome.result, MsdmError)]
    what = "them" if len(made) > 1 else "it with others"
    for page in beside.compare(made):
        beside.display.say(f"to compare {what}: {page}")


class _Batch:
    """The jobs of a command, and how those that have ended did.

    Args:
        kind: What a job is called in the summary.
        requests: The jobs by name.
        beside: Makes pages and the like, and has the display that shows the jobs.
        table: Has a row for each job.
    """

    def __init__(
        self,
        kind: str,
        requests: "Mapping[str, JobRequest]",
        beside: Beside,
        table: SongTable,
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        # A summary of very many jobs names those that failed.
        self._keeps_all = kind in WORDS or beside.display.as_json or len(requests) <= MOST_ROWS
        self._ended: set[str] = set()
        self.word = WORDS.get(kind, kind)
        self._requests = requests
        self._table = table
        self._beside = beside
        self._display = beside.display
        self._short = shorten_names(list(requests))
        sizes = {name: _weigh(request) for name, request in requests.items()}
        beside.display.expect(self.word, sizes)

    @property
    def left(self) -> "dict[str, JobRequest]":
        """The jobs that have not ended."""
        return {
            name: request for name, request in self._requests.items() if name not in self._ended
        }

    def run(self, row: "Executor", workers: int, load: Load) -> str:
        """Run the jobs that have not ended; what the batch is called."""
        left = self.left
        title, work = (prepare if row.here else send)(load, self._beside)
        headway = None if row.here else Headway(len(left), self.word)
        with self._display:
            for ended in row.run(left, work, workers, self._display.stop):
                self.end(ended, headway)
        return title

    def find_done(self) -> None:
        """End the jobs whose results are there. An error in this is left to the job itself."""
        from msdm_cli.jobs.done import find_result
        from msdm_cli.jobs.executors import Ended

        here = {name: one for name, one in self.left.items() if not is_address(one.folder)}
        for name, request in here.items():
            began = time.monotonic()
            with contextlib.suppress(*FAILURES):
                result = find_result(request)
                if result is not None:
                    self.end(Ended(name, result, time.monotonic() - began))

    def end(self, ended: "Ended", headway: Headway | None = None) -> None:
        """Show that a job has ended, and how; with its batch if it ran elsewhere."""
        name = ended.name
        outcome = self._judge(ended, elsewhere=headway is not None)
        self._ended.add(name)
        if self._keeps_all or outcome.failed:
            self.outcomes[name] = outcome
        self._table.add(outcome, ended.machine)
        display = self._display
        if headway is None:
            display.piece(name).end()
        else:
            headway.add(ended)
            display.end_elsewhere(name, headway, skipped=outcome.speed == WAS_THERE)
        if not outcome.failed and len(self._requests) > 1 and not display.as_json:
            count = f"{len(self._ended)} of {len(self._requests)}"
            far = "" if headway is None else f" ({headway.describe()})"
            display.say(f"{count}: {self._short[name]}, {outcome.speed}{far}")

    def _judge(self, ended: "Ended", *, elsewhere: bool) -> Outcome:
        """How a job has ended. A failure is shown, and pages are made if they were not."""
        name = ended.name
        if isinstance(ended.result, FAILURES):
            error = describe_failure(ended.result)
            hint = find_hint(error)
            self._display.fail(name, error, hint)
            return Outcome(name, error, ended.seconds, hint)
        show_gain(name, ended.result, self._display)
        show_bits(name, ended.result, self._display)
        show_heard(name, ended.result, self._display)
        there = elsewhere or is_address(ended.result.manifest)
        made = ended.result.beside if there else self._beside.add(ended.result)
        return Outcome(name, ended.result, ended.seconds, beside=made)


def _weigh(request: "JobRequest") -> float:
    """About how much work a job is: the bytes of its inputs."""
    total = 0
    for path in request.inputs.values():
        with contextlib.suppress(OSError, ValueError):
            total += path.stat().st_size
    return max(total, 1)


def estimate_batch(
    requests: "Mapping[str, JobRequest]", model: "LoadedModel", display: Display
) -> None:
    """Show what jobs would cost.

    Raises:
        Exit: A job would fail; with exit code 1.
    """
    from msdm_cli.jobs.estimate import estimate_job
    from msdm_cli.jobs.remote.stage import stage

    estimates = {}
    for name, request in requests.items():
        try:
            with stage(request) as local:
                estimates[name] = estimate_job(local, model)
        except FAILURES as error:  # noqa: PERF203  a network call is slower
            display.fail(name, describe_failure(error))
    show_estimates(estimates, str(model.runtime), as_json=display.as_json)
    if len(estimates) < len(requests):
        raise typer.Exit(1)
