"""Training runs that benches compare: each in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TRAINER = [sys.executable, "-m", "scripts.train"]
REQUEST = "asked.json"
OUTPUT = "output.txt"
LAST_FIGURE = "denoise_1.0"
"""A figure that every validation of our architecture has."""


class TrainingFailedError(RuntimeError):
    """A run failed, or its folder is that of another run."""


@dataclass(frozen=True)
class Variant:
    """A training run.

    Attributes:
        run: Its folder.
        arguments: Of ``scripts.train``, after the folders.
    """

    run: Path
    arguments: list[str]

    def train(self, data: Path, start: Path | None) -> dict[str, Any]:
        """Train, unless it is done: figures of the last validation, and minutes.

        Args:
            data: The songs.
            start: Checkpoint to start from.

        Raises:
            TrainingFailedError: The training failed, or the folder is that of another run.
        """
        self._prepare(start)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [*TRAINER, str(data), str(self.run), *self.arguments]
        with (self.run / OUTPUT).open("a") as file:
            ended = subprocess.run(command, env=environment, stdout=file, stderr=file, check=False)
        if ended.returncode:
            raise TrainingFailedError(f"{self.run}: the training failed, see {OUTPUT} in it")
        log = [json.loads(line) for line in (self.run / "log.jsonl").read_text().splitlines()]
        begun = next(record for record in log if "event" in record)
        final: dict[str, Any] = [record for record in log if LAST_FIGURE in record][-1]
        minutes = (final["hours"] - begun["hours"]) * 60
        return {**final, "minutes": minutes, "songs": begun["songs"]}

    def _prepare(self, start: Path | None) -> None:
        """Make the folder with what was asked for, or check that it is the same."""
        request = json.dumps({"arguments": self.arguments, "start": str(start)})
        if not self.run.exists():
            temporary = self.run.with_name(f"{self.run.name}.part")
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            (temporary / REQUEST).write_text(request)
            if start:
                shutil.copy(start, temporary / "last.ckpt")
            temporary.rename(self.run)
        if (self.run / REQUEST).read_text() != request:
            raise TrainingFailedError(
                f"{self.run}: has another start or other arguments; remove it, "
                "or give the variant another name"
            )


def train_all(
    variants: dict[str, Variant], data: Path, start: Path | None, jobs: int
) -> dict[str, dict[str, Any]]:
    """Train variants, ``jobs`` at a time; their figures by name.

    Raises:
        TrainingFailedError: One failed, or its folder is that of another run.
    """
    with ThreadPoolExecutor(jobs) as pool:
        begun = {
            name: pool.submit(variant.train, data, start) for name, variant in variants.items()
        }
        return {name: future.result() for name, future in begun.items()}


def schedule(steps: int, first: int = 0) -> list[str]:
    """Arguments for so many steps from the ``first``: one validation at the end, half decaying."""
    last = str(first + steps)
    return ["--steps", last, "--decay-steps", str(steps // 2), "--validate-every", last]
