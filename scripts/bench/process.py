"""Commands in processes of their own: how long they take, and how much memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Linux counts the memory of a process that starts another as the new one's own, until the new one
# is larger. So a small process stands in between.
WATCH = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, end="")
sys.exit(code)
"""


@dataclass(frozen=True)
class Finished:
    """What a command printed and took.

    Attributes:
        stdout: What it printed.
        seconds: From start to end.
        peak_mb: Largest resident memory, in MiB.
        cpu_seconds: Processor time, which depends less on what else runs.
    """

    stdout: str
    seconds: float
    peak_mb: float
    cpu_seconds: float


class CommandFailedError(Exception):
    """A command ended with an error."""


def run_watched(
    command: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        folder: Where it runs; here by default.
        environment: Variables beside those of this process.

    Raises:
        CommandFailedError: It ended with an exit code other than 0.
    """
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", WATCH, *command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if ended.returncode:
        raise CommandFailedError(f"{' '.join(command)}\n{ended.stderr.strip()}")
    stdout, _, used = ended.stdout.rpartition("\n")
    peak_kib, cpu_seconds = used.split()
    return Finished(stdout, seconds, int(peak_kib) / 1024, float(cpu_seconds))
