"""How jobs ended, for people and as JSON."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msdm_cli.audio.formats import loses_bits
from msdm_cli.cli.console import print_line, show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.folding import list_files, shorten_names
from msdm_cli.errors import MsdmError

if TYPE_CHECKING:
    from msdm_cli.jobs.result import JobResult


WAS_THERE = "was there"
"""Said of results that an earlier run has made."""

MOST_ROWS = 200
"""With more jobs, a summary lists only those that failed."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        name: Name of the job.
        result: What it has made, or why it failed.
        seconds: Time that it took.
        hint: What to do about a failure.
        beside: What was made beside the results, such as a page.
    """

    name: str
    result: "JobResult | MsdmError"
    seconds: float
    hint: str = ""
    beside: tuple[Path, ...] = ()

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
            return WAS_THERE
        return f"{self.result.properties.seconds / self.seconds:.1f}x real time"

    def describe(self) -> dict[str, str]:
        """Its row of the table, by column. Its error has been shown already."""
        files = [] if isinstance(self.result, MsdmError) else [*self.result.files.values()]
        return {
            "speed": self.speed,
            "seed": "" if self.seed is None else str(self.seed),
            "written": list_files([*files, *self.beside]),
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
            "beside": list(self.beside),
            "wall_seconds": round(self.seconds, 3),
        }


def show_outcomes(
    kind: str, title: str, outcomes: Sequence[Outcome], display: Display, total: int
) -> None:
    """Print the summary of jobs, unless the display is quiet.

    Args:
        kind: What a job is called.
        title: Above the table.
        outcomes: In the order of the jobs; of more than ``MOST_ROWS``, some may be left out.
        display: Says in what form.
        total: Number of jobs.
    """
    if display.as_json:
        show_json([outcome.to_json(kind) for outcome in outcomes])
    elif not display.quiet:
        _show_table(kind, title, outcomes, total)


def _show_table(kind: str, title: str, outcomes: Sequence[Outcome], total: int) -> None:
    """Print a table, failures last. It has a column of seeds if a job has used one."""
    short = shorten_names([outcome.name for outcome in outcomes])
    failed = [outcome for outcome in outcomes if outcome.failed]
    rows: list[tuple[str, ...]] = []
    if total > MOST_ROWS:
        rows = [(short[one.name], str(one.result), one.hint) for one in failed]
        show_table(title, (kind, "error", "what to do"), rows)
    elif len(failed) < len(outcomes):
        columns = ["speed", "seed", "written"]
        if all(outcome.seed is None for outcome in outcomes):
            columns.remove("seed")
        for outcome in sorted(outcomes, key=lambda outcome: outcome.failed):
            row = outcome.describe()
            rows.append((short[outcome.name], *(row[column] for column in columns)))
        show_table(title, (kind, *columns), rows)
    if total > 1:
        end = f", {len(failed)} failed" if failed else ""
        print_line(f"{total - len(failed)} done{end}")


def show_gain(name: str, result: "JobResult", display: Display) -> None:
    """Say so if results are softer than the input, or were clipped."""
    # Given stems stay as they are, and so does what continues them: only the mixture is softer.
    softer = f"{name}: the mixture is {-result.gain_db:.2f} dB softer than its stems"
    if result.gain_db and result.clipped:
        display.say(
            f"{softer}, of which "
            f"{result.clipped} samples beyond full scale were clipped; --subtype FLOAT avoids both"
        )
    elif result.gain_db and result.mixture_only:
        display.say(f"{softer}, so that it does not clip; --subtype FLOAT needs no gain")
    elif result.gain_db:
        beside = f" beside {', '.join(result.stay)}" if result.stay else ""
        display.say(
            f"{name}: {result.gain_db:.2f} dB{beside}, so that nothing clips; "
            "--subtype FLOAT needs no gain"
        )
    elif result.clipped:
        display.say(
            f"{name}: {result.clipped} samples beyond full scale were clipped; "
            "--subtype FLOAT keeps them"
        )


def show_bits(name: str, result: "JobResult", display: Display) -> None:
    """Say so if results have fewer bits than the input."""
    read, written = result.properties.subtype, result.subtype_written
    if loses_bits(read, written):
        display.say(f"{name}: written as {written}, fewer bits than the input has, {read}")


def show_heard(name: str, result: "JobResult", display: Display) -> None:
    """Say what tempo and key were heard in given stems."""
    heard = result.heard
    tempo = "" if heard.tempo is None else f"{heard.tempo:.0f} bpm"
    music = ", ".join(text for text in (tempo, heard.key) if text)
    if music:
        display.say(f"{name}: heard {music} in the given stems; --tempo and --key override it")
