"""Versions of the program, used by their command lines alone."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.process import CommandFailedError, Finished, run_watched

ROOT = Path(__file__).parents[3]
"""The working tree."""

CHUNK_SUFFIXES = (".npy", ".chunk")
"""Of a chunk in a journal, in older and newer versions."""


@dataclass(frozen=True)
class Tree:
    """A version of the program.

    Attributes:
        root: Folder that has ``msdm_cli``.
        work: Folder for its cache and results, which is made.
    """

    root: Path
    work: Path

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make Python take this version."""
        return {"PYTHONPATH": str(self.root), "MSDM_CACHE": str(self.work / "cache")}

    def command(self, arguments: Sequence[str], *options: str) -> list[str]:
        """A command line of this version; ``options`` are Python's own."""
        return [sys.executable, *options, "-m", "msdm_cli", *arguments]

    def run(self, arguments: Sequence[str]) -> Finished:
        """Run a command to its end.

        Raises:
            CommandFailedError: It failed.
        """
        return run_watched(self.command(arguments), self.work, self.environment)

    def run_killed(self, arguments: Sequence[str], output: Path) -> None:
        """Kill a command as soon as a chunk is in its journal, and run it again to its end.

        Raises:
            CommandFailedError: It ended before it could be killed, or failed the second time.
        """
        environment = {**os.environ, **self.environment}
        command = self.command(arguments)
        with subprocess.Popen(command, cwd=self.work, env=environment) as child:
            while child.poll() is None and not _has_chunk(output):
                time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
        if child.returncode != -signal.SIGKILL:
            raise CommandFailedError(f"it ended before a chunk was kept: {' '.join(arguments)}")
        self.run(arguments)

    def import_models(self, models: Mapping[str, Sequence[Path]]) -> None:
        """Import checkpoints into the cache, in place of those that are there.

        Raises:
            CommandFailedError: This version does not take them.
        """
        for name, checkpoints in models.items():
            shutil.rmtree(self.work / "cache" / name, ignore_errors=True)
            self.run(["weights", "import", *map(str, checkpoints), "--name", name])

    def list_imports(self, arguments: Sequence[str]) -> set[str]:
        """Names of the modules that a command imports."""
        finished = subprocess.run(
            self.command(arguments, "-X", "importtime"),
            cwd=self.work,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return {line.rpartition("|")[2].strip() for line in finished.stderr.splitlines()}


def _has_chunk(folder: Path) -> bool:
    """Whether a journal below a folder has a finished chunk."""
    return any(path.suffix in CHUNK_SUFFIXES for path in folder.rglob("*"))


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A commit in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
        try:
            yield folder
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def make_checkpoints(peer: Path, folder: Path) -> dict[str, list[Path]]:
    """Random checkpoints of the paper's network by model: a joint one, and one of four networks.

    Args:
        peer: Folder of the authors' library.
        folder: Where the checkpoints go; those that are there are kept.
    """
    models = {
        "paper": [folder / "joint.ckpt"],
        "per-stem": [folder / f"stem-{index}.ckpt" for index in range(4)],
    }
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(peer)])}
    for paths in models.values():
        stems = str(4 // len(paths))
        for seed, path in enumerate(paths):
            module = [sys.executable, "-m", "scripts.peer", str(path)]
            if not path.exists():
                run_watched([*module, "--stems", stems, "--seed", str(seed)], folder, environment)
    return models
