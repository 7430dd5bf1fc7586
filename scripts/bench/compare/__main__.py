"""Compare an older commit with the working tree: samples, speed and memory.

    python -m scripts.bench.compare --peer PEER
    python -m scripts.bench.compare --only resume --rounds 0

Both are used by their command lines alone. The older one is checked out into a temporary folder.
PEER holds the authors' library, for the checkpoints of the paper's network:
``pip install --no-deps --target PEER audio_diffusion_pytorch==0.0.43 einops einops-exts``.

Exit code 1 if samples differ without a listed reason, or if ``--help`` is slow or imports torch.
"""

import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from scripts.bench.compare.cases import BASELINE, CASES, REASONS, Case, write_songs
from scripts.bench.compare.sounds import find_difference
from scripts.bench.compare.trees import ROOT, Tree, checked_out, make_checkpoints
from scripts.bench.process import CommandFailedError, Finished
from scripts.bench.report import OutputOption, Report, describe_machine

HELP_SECONDS = 0.4
HEAVY = {"torch", "onnxruntime", "numba"}
TIMED = {
    "--help": "--help",
    "separate 0.1 s": "separate {tiny} --quality fast",
    "separate 30 s, fast": "separate {stereo} --quality fast",
    "separate 30 s, default": "separate {stereo}",
}


@dataclass(frozen=True)
class Comparison:
    """Two versions, and the songs that both work on."""

    old: Tree
    new: Tree
    songs: Mapping[str, Path]

    def compare_case(self, case: Case) -> tuple[int, str]:
        """Run a case in both: number of files, and what differs.

        The old results are kept for the next time. They are of a whole run, also where the new
        one is killed.
        """
        old, new = (tree.work / "results" / case.folder for tree in (self.old, self.new))
        kept = old.with_suffix(".command")
        arguments = case.arguments(self.songs, old)
        if not kept.exists() or kept.read_text() != " ".join(arguments):
            shutil.rmtree(old, ignore_errors=True)
            self.old.run(arguments)
            kept.write_text(" ".join(arguments))
        shutil.rmtree(new, ignore_errors=True)
        arguments = case.arguments(self.songs, new)
        try:
            if case.killed:
                self.new.run_killed(arguments, new)
            else:
                self.new.run(arguments)
        except CommandFailedError as error:
            return 0, "fails: " + " ".join(str(error).splitlines()[-2:])
        return find_difference(old, new)

    def time_in_turns(self, command: str, rounds: int) -> list[tuple[Finished, Finished]]:
        """Runs of a command, old and new; which of them is first changes."""
        pairs = []
        for index in range(rounds):
            trees = (self.old, self.new) if index % 2 else (self.new, self.old)
            ran = {tree: self._run_fresh(tree, command) for tree in trees}
            pairs.append((ran[self.old], ran[self.new]))
        return pairs

    def _run_fresh(self, tree: Tree, command: str) -> Finished:
        output = tree.work / "timed"
        shutil.rmtree(output, ignore_errors=True)
        places = {name: str(path) for name, path in self.songs.items()}
        words = [word.format_map(places) for word in command.split()]
        if words[0] != "--help":
            words += ["-o", str(output), "--seed", "1", "--quiet"]
        return tree.run(words)


def compare_samples(
    report: Report, comparison: Comparison, cases: Sequence[Case], reasons: Mapping[str, str]
) -> bool:
    """Add the table of cases; whether none differs without a reason.

    Args:
        report: Receives the table.
        comparison: The versions.
        cases: What is run.
        reasons: Why samples of a kind of case may differ.
    """
    good = True
    report.begin_table("command", "files", "samples")
    for case in cases:
        number, difference = comparison.compare_case(case)
        # A version that fails, or writes other files, has no reason.
        reason = reasons.get(case.kind, "") if "of full scale" in difference else ""
        verdict = difference or "equal"
        report.row(case.name, number, f"{verdict} ({reason})" if reason else verdict)
        good &= bool(reason) or not difference
    return good


def compare_times(report: Report, comparison: Comparison, rounds: int) -> None:
    """Add the table of times and peak memory."""
    columns = ("old, s", "new, s", "new / old", "old, MB", "new, MB")
    report.begin_table(f"medians of {rounds} pairs", *columns)
    for name, command in TIMED.items():
        pairs = comparison.time_in_turns(command, rounds)
        old, new = zip(*pairs, strict=True)
        ratio = statistics.median(after.seconds / before.seconds for before, after in pairs)
        seconds = [statistics.median(run.seconds for run in runs) for runs in (old, new)]
        peaks = [statistics.median(run.peak_mb for run in runs) for runs in (old, new)]
        report.row(
            name,
            *(f"{value:.2f}" for value in seconds),
            f"{ratio:.2f}",
            *(f"{value:.0f}" for value in peaks),
        )


def check_help(report: Report, tree: Tree) -> bool:
    """Add a sentence on ``--help``; whether it is quick and imports nothing heavy."""
    # Processor time: other work on this machine must not fail the comparison.
    seconds = min(tree.run(["--help"]).cpu_seconds for _ in range(5))
    heavy = tree.list_imports(["--help"]) & HEAVY
    imported = ", ".join(sorted(heavy)) or "none of " + ", ".join(sorted(HEAVY))
    report.write(
        f"`--help` takes {seconds:.2f} s of processor time at best, and imports {imported}."
    )
    return seconds < HELP_SECONDS and not heavy


def main(  # noqa: PLR0913  the options of a command
    *,
    peer: Annotated[Path | None, typer.Option(help="Folder of the authors' library.")] = None,
    baseline: Annotated[str, typer.Option(help="The older commit.")] = BASELINE,
    tree: Annotated[Path | None, typer.Option(help="A checkout of it, if there is one.")] = None,
    new: Annotated[Path, typer.Option(help="The newer version.")] = ROOT,
    work: Annotated[Path | None, typer.Option(help="Keep the old results in this folder.")] = None,
    only: Annotated[str, typer.Option(help="Only cases whose names contain this.")] = "",
    rounds: Annotated[int, typer.Option(min=0, help="Pairs of timed runs.")] = 3,
    output: OutputOption = None,
) -> None:
    """Print the tables; exit code 1 if samples differ."""
    report = Report(
        f"The working tree against commit {baseline}, by `python -m scripts.bench.compare`, on "
        f"{describe_machine()}."
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = (work or Path(temporary)).resolve()
        songs = write_songs(folder / "songs", ROOT / "tests/data/song.flac")
        models = make_checkpoints(peer.resolve(), folder) if peer else {}
        with checked_out(baseline) if tree is None else nullcontext(tree.resolve()) as root:
            comparison = Comparison(
                Tree(root, folder / "old"), Tree(new.resolve(), folder / "new"), songs
            )
            comparison.old.import_models(models)
            comparison.new.import_models(models)
            cases = [
                case for case in CASES if only in case.name and (peer or "paper" not in case.name)
            ]
            reasons = REASONS if baseline == BASELINE else {}
            good = compare_samples(report, comparison, cases, reasons)
            if rounds:
                compare_times(report, comparison, rounds)
            good &= check_help(report, comparison.new)
        report.save(output)
    raise typer.Exit(not good)


if __name__ == "__main__":
    typer.run(main)
