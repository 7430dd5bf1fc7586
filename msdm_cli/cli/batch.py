"""Several jobs with one model. A job that fails does not end the others, and the exit code is 1."""

import dataclasses
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import typer

from msdm_cli.cli.console import show_estimates, show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import find_hint
from msdm_cli.errors import MsdmError, ReplacesInput, UnwritableResults

if TYPE_CHECKING:
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.jobs.run import JobResult
    from msdm_cli.models.load import LoadedModel
    from msdm_cli.models.spec import ModelSpec


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        name: Name of the job.
        result: What it has made, or why it failed.
        seconds: Time that it took.
    """

    name: str
    result: "JobResult | MsdmError"
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether it has made nothing."""
        return isinstance(self.result, MsdmError)

    @property
    def seed(self) -> int | None:
        """Seed of the noise; None if there was none, or no result."""
        return None if isinstance(self.result, MsdmError) else self.result.seed

    def describe(self) -> dict[str, str]:
        """Its row of the table, by column."""
        if isinstance(self.result, MsdmError):
            return {"speed": "failed", "seed": "", "written": self.result.message}
        speed = f"{self.result.properties.seconds / self.seconds:.1f}x real time"
        return {
            "speed": "was there" if self.result.skipped else speed,
            "seed": "" if self.seed is None else str(self.seed),
            "written": ", ".join(str(path) for path in self.result.files.values()),
        }

    def to_json(self, kind: str) -> dict[str, object]:
        """Its entry of the JSON summary, with its name under ``kind``."""
        if isinstance(self.result, MsdmError):
            return {
                kind: self.name,
                "error": self.result.message,
                "hint": find_hint(self.result),
            }
        return {
            kind: self.name,
            **dataclasses.asdict(self.result),
            "wall_seconds": round(self.seconds, 3),
        }


def check_batch(requests: "Mapping[str, JobRequest]", spec: "ModelSpec") -> None:
    """Refuse jobs whose results would replace each other or an input, before anything runs.

    Raises:
        UnwritableResults: Two jobs would write the same files, or names lead out of a folder.
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
            raise UnwritableResults(
                f"{other} and {name} would both be written to {request.manifest.parent}/",
                "Rename one, or separate them in two runs, each with its own -o.",
            )
        for output in request.row.name_outputs(spec, request.options):
            path = request.output.place(request.folder, request.track, output)
            if os.path.realpath(path) in inputs:
                raise ReplacesInput(
                    f"{path}: is an input, and would be replaced", "Choose another folder with -o."
                )


def run_batch(
    kind: str,
    requests: "Mapping[str, JobRequest]",
    model: "LoadedModel",
    *,
    display: Display,
    jobs: int = 1,
) -> None:
    """Run jobs, then show what they have made.

    Args:
        kind: What a job is called in the summary.
        requests: The jobs by name.
        model: The model of all of them.
        display: Shows progress.
        jobs: How many run at once.

    Raises:
        Exit: A job has failed; with exit code 1.
    """
    from msdm_cli.jobs.executors import EXECUTORS

    execute = EXECUTORS["threads" if jobs > 1 else "serial"]
    calls = {
        name: partial(_run, name, request, model, display) for name, request in requests.items()
    }
    with display:
        found = dict(execute(calls, jobs, display.stop))
    outcomes = [found[name] for name in requests]
    if display.as_json:
        show_json([outcome.to_json(kind) for outcome in outcomes])
    elif not display.quiet:
        _show_outcomes(kind, str(model.runtime), outcomes)
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


def estimate_batch(
    requests: "Mapping[str, JobRequest]", model: "LoadedModel", display: Display
) -> None:
    """Show what jobs would cost.

    Raises:
        Exit: A job would fail; with exit code 1.
    """
    from msdm_cli.jobs.estimate import estimate_job

    estimates = {}
    for name, request in requests.items():
        try:
            estimates[name] = estimate_job(request, model)
        except MsdmError as error:  # noqa: PERF203  a network call is slower
            display.fail(name, error)
    show_estimates(estimates, str(model.runtime), as_json=display.as_json)
    if len(estimates) < len(requests):
        raise typer.Exit(1)


def _run(name: str, request: "JobRequest", model: "LoadedModel", display: Display) -> Outcome:
    from msdm_cli.jobs.run import run_job

    began = time.monotonic()
    try:
        result = run_job(request, model, display.piece())
    except MsdmError as error:
        display.fail(name, error)
        # A new error without the traceback of this one, which holds on to megabytes of samples.
        bare = type(error)(error.message, error.remedy)
        return Outcome(name, bare, time.monotonic() - began)
    show_gain(name, result, display)
    return Outcome(name, result, time.monotonic() - began)


def _show_outcomes(kind: str, device: str, outcomes: list[Outcome]) -> None:
    """Print a table. It has a column of seeds if a job has used one."""
    columns = ["speed", "seed", "written"]
    if all(outcome.seed is None for outcome in outcomes):
        columns.remove("seed")
    rows = []
    for outcome in outcomes:
        row = outcome.describe()
        rows.append((outcome.name, *(row[column] for column in columns)))
    show_table(device, (kind, *columns), rows)


def show_gain(name: str, result: "JobResult", display: Display) -> None:
    """Say so if results are softer than the input, or were clipped."""
    if result.gain_db:
        display.say(
            f"{name}: {result.gain_db:.2f} dB, so that nothing clips; --subtype FLOAT needs no gain"
        )
    if result.clipped:
        display.say(
            f"{name}: {result.clipped} samples beyond full scale were clipped; "
            "--subtype FLOAT keeps them"
        )
