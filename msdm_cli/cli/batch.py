"""Several pieces of work: one that fails does not end the rest, and does not exit 0."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import typer

from msdm_cli.cli.console import show_json, show_table
from msdm_cli.cli.display import Display, Piece
from msdm_cli.errors import MsdmError

if TYPE_CHECKING:
    from msdm_cli.jobs.run import Done

POLL_SECONDS = 0.5

Work = Callable[[Piece], "Done"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a piece of work.

    Attributes:
        name: The piece.
        result: What was done, or the error.
        seconds: How long it took.
    """

    name: str
    result: "Done | MsdmError"
    seconds: float

    def row(self) -> tuple[str, str, str, str]:
        """Its line of the table."""
        if isinstance(self.result, MsdmError):
            return (self.name, "failed", "", self.result.message)
        written = ", ".join(str(path) for path in self.result.files.values())
        speed = f"{self.result.properties.seconds / self.seconds:.1f}x real time"
        return (
            self.name,
            "was there" if self.result.skipped else speed,
            str(self.result.seed),
            written,
        )

    def entry(self, kind: str) -> dict[str, object]:
        """Its entry of the summary."""
        if isinstance(self.result, MsdmError):
            return {kind: self.name, "error": self.result.message, "hint": self.result.hint}
        return {
            kind: self.name,
            **dataclasses.asdict(self.result),
            "wall_seconds": round(self.seconds, 3),
        }


def run_batch(
    kind: str, device: str, pieces: Mapping[str, Work], *, display: Display, jobs: int = 1
) -> None:
    """Do all pieces, then show what was done.

    Args:
        kind: What a piece is, in the summary.
        device: Where it is done, in the summary.
        pieces: What does each piece, by its name.
        display: Shows how far it is.
        jobs: How many at once.
    """
    with display:
        outcomes = (
            _do_at_once(pieces, display, jobs)
            if jobs > 1
            else [_do(*piece, display) for piece in pieces.items()]
        )
    if display.as_json:
        show_json([outcome.entry(kind) for outcome in outcomes])
    elif not display.quiet:
        show_table(
            device, (kind, "speed", "seed", "written"), [outcome.row() for outcome in outcomes]
        )
    if any(isinstance(outcome.result, MsdmError) for outcome in outcomes):
        raise typer.Exit(1)


def _do_at_once(pieces: Mapping[str, Work], display: Display, jobs: int) -> list[Outcome]:
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_do, name, work, display) for name, work in pieces.items()]
        try:
            while wait(futures, POLL_SECONDS).not_done:  # so that Ctrl-C arrives on Windows too
                pass
        except KeyboardInterrupt:
            display.stopped = True
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _do(name: str, work: Work, display: Display) -> Outcome:
    began = time.monotonic()
    try:
        done = work(display.piece())
    except MsdmError as error:
        display.fail(name, error)
        bare = type(error)(error.message, error.hint)  # without what its traceback holds on to
        return Outcome(name, bare, time.monotonic() - began)
    tell_of_gain(name, done, display)
    return Outcome(name, done, time.monotonic() - began)


def tell_of_gain(name: str, done: "Done", display: Display) -> None:
    """Say so if results are not as loud as they would be, or were clipped."""
    if done.gain_db:
        display.say(
            f"{name}: {done.gain_db:.2f} dB, so that nothing clips; --subtype FLOAT needs no gain"
        )
    if done.clipped:
        display.say(
            f"{name}: {done.clipped} samples beyond full scale were clipped; --subtype FLOAT keeps them"
        )
