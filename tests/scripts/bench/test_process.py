"""Commands in processes of their own."""

import sys

import pytest

from scripts.bench.process import CommandFailedError, run_watched

MIB = 1 << 20


def test_output_time_and_memory_of_a_command(tmp_path):
    program = "import os; x = bytearray(200 << 20); print(os.getcwd(), os.environ['SAID'])"
    finished = run_watched([sys.executable, "-c", program], tmp_path, {"SAID": "this"})
    assert finished.stdout == f"{tmp_path} this"
    assert 200 < finished.peak_mb < 400
    assert 0 < finished.cpu_seconds < finished.seconds < 60


def test_memory_is_not_that_of_this_process():
    ballast = bytearray(300 * MIB)
    finished = run_watched([sys.executable, "-c", ""])
    assert len(ballast) == 300 * MIB
    assert finished.peak_mb < 100
    assert finished.stdout == ""


def test_a_failure_says_what_the_command_said():
    with pytest.raises(CommandFailedError, match="this went wrong"):
        run_watched([sys.executable, "-c", "import sys; sys.exit('this went wrong')"])
