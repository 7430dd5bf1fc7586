"""Several jobs with one model. A job that fails does not end the others, and the exit code is 1."""

import contextlib
import dataclasses
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import typer

from msdm_cli.cli.console import print_line, show_estimates, show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.folding import list_files, shorten_names
from msdm_cli.cli.hints import find_hint
from msdm_cli.cli.system_errors import FAILURES, describe_failure
from msdm_cli.errors import MsdmError, ReplacesInput, UnwritableResults

if TYPE_CHECKING:
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.jobs.result import JobResult
    from msdm_cli.models.load import LoadedModel
    from msdm_cli.models.spec import ModelSpec


WORDS = {"imputed": "take", "variation": "take"}
"""What a job is called on the bar, by what it is called in the summary."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        name: Name of the job.
        result: What it has made, or why it failed.
        seconds: Time that it took.
        hint: What to do about a failure.
    """

    name: str
    result: "JobResult | MsdmError"
    seconds: float
    hint: str = ""

    @property
    def failed(self) -> bool:
        """Whether it has made nothing."""
        return isinstance(self.result, MsdmError)

    @property
    def seed(self) -> int | None:
        """Seed of the noise; None if there was none, or no result."""
        return None if isinstance(self.result, MsdmError) else self.result.seed

    @property
    def speed(self) -> str:
        """How fast it went, or why that is no question."""
        if isinstance(self.result, MsdmError):
            return "failed"
        if self.result.skipped:
            return "was there"
        return f"{self.result.properties.seconds / self.seconds:.1f}x real time"

    def describe(self) -> dict[str, str]:
        """Its row of the table, by column. Its error has been shown already."""
        files = () if isinstance(self.result, MsdmError) else self.result.files.values()
        return {
            "speed": self.speed,
            "seed": "" if self.seed is None else str(self.seed),
            "written": list_files(files),
        }

    def to_json(self, kind: str) -> dict[str, object]:
        """Its entry of the JSON summary, with its name under ``kind``."""
        if isinstance(self.result, MsdmError):
            return {
                kind: self.name,
                "error": self.result.message,
                "hint": self.hint,
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
    short = shorten_names(list(requests))
    calls = {name: partial(_run, name, item, model, display) for name, item in requests.items()}
    display.expect(
        WORDS.get(kind, kind), {name: _weigh(request) for name, request in requests.items()}
    )
    found: dict[str, Outcome] = {}
    with display:
        for name, outcome in execute(calls, jobs, display.stop):
            found[name] = outcome
            if len(requests) > 1 and not outcome.failed and not display.as_json:
                display.say(f"{len(found)} of {len(requests)}: {short[name]}, {outcome.speed}")
    outcomes = [found[name] for name in requests]
    _show(kind, str(model.runtime), outcomes, display)


def _show(kind: str, device: str, outcomes: list[Outcome], display: Display) -> None:
    """Print the summary.

    Raises:
        Exit: A job has failed; with exit code 1.
    """
    if display.as_json:
        show_json([outcome.to_json(kind) for outcome in outcomes])
    elif not display.quiet:
        _show_outcomes(kind, device, outcomes)
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


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

    estimates = {}
    for name, request in requests.items():
        try:
            estimates[name] = estimate_job(request, model)
        except FAILURES as error:  # noqa: PERF203  a network call is slower
            display.fail(name, describe_failure(error))
    show_estimates(estimates, str(model.runtime), as_json=display.as_json)
    if len(estimates) < len(requests):
        raise typer.Exit(1)


def _run(name: str, request: "JobRequest", model: "LoadedModel", display: Display) -> Outcome:
    """Run a job. Whatever fails, the others go on."""
    from msdm_cli.jobs.run import run_job

    began = time.monotonic()
    piece = display.piece(name)
    try:
        result = run_job(request, model, piece)
    except FAILURES as error:
        return _fail(name, describe_failure(error), display, began)
    finally:
        piece.end()
    show_gain(name, result, display)
    return Outcome(name, result, time.monotonic() - began)


def _fail(name: str, error: MsdmError, display: Display, began: float) -> Outcome:
    """Show why a job has failed, and how it ended."""
    hint = find_hint(error)
    display.fail(name, error, hint)
    # A new error without the traceback of this one, which holds on to megabytes of samples.
    bare = type(error)(error.message, error.remedy)
    return Outcome(name, bare, time.monotonic() - began, hint)


def _show_outcomes(kind: str, device: str, outcomes: list[Outcome]) -> None:
    """Print a table, failures last. It has a column of seeds if a job has used one."""
    short = shorten_names([outcome.name for outcome in outcomes])
    failed = [outcome for outcome in outcomes if outcome.failed]
    if len(failed) < len(outcomes):
        columns = ["speed", "seed", "written"]
        if all(outcome.seed is None for outcome in outcomes):
            columns.remove("seed")
        rows = []
        for outcome in sorted(outcomes, key=lambda outcome: outcome.failed):
            row = outcome.describe()
            rows.append((short[outcome.name], *(row[column] for column in columns)))
        show_table(device, (kind, *columns), rows)
    if len(outcomes) > 1:
        end = f", {len(failed)} failed" if failed else ""
        print_line(f"{len(outcomes) - len(failed)} done{end}")


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
