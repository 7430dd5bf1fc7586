"""``--dry-run`` says how much memory a run takes."""

import json
import os
import subprocess
import sys

import pytest
from conftest import WAIT_SECONDS

TOLERANCE = 0.15

COMMANDS = {
    "separate": ("separate", "{song}", "--quality", "fast"),
    "separate in ONNX Runtime": ("separate", "{song}", "--quality", "fast", "--backend", "onnx"),
    "impute": ("impute", "--given", "drums={song}", "--target", "bass", "--steps", "1"),
    "generate": ("generate", "--seconds", "30", "--steps", "1"),
}
"""A few network calls each, over several chunks."""


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs the peak memory of a process")
@pytest.mark.parametrize("name", COMMANDS)
def test_the_memory_of_a_dry_run_is_that_of_a_run(write_song, tmp_path, name):
    words = [word.format(song=write_song(seconds=36)) for word in COMMANDS[name]]
    program = [sys.executable, "-m", "msdm_cli", *words, "--device", "cpu", "--json"]
    program += ["-o", str(tmp_path / "out")]
    planned = subprocess.run(
        [*program, "--dry-run"], capture_output=True, timeout=2 * WAIT_SECONDS, check=True
    )
    (estimate,) = json.loads(planned.stdout)
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert abs(estimate["memory_bytes"] / peak - 1) < TOLERANCE
