import re

import pytest
import typer
from run_msdm import msdm

from msdm_cli.cli.app import app

COMMANDS = dict(typer.main.get_command(app).commands)
WEIGHTS = [f"weights {name}" for name in COMMANDS.pop("weights").commands]

TYPE = re.compile(r"<\w|<=?\w+\[|\bTEXT\b|\bINTEGER\b|\bint range\b")
"""What a library calls a value. Limits, such as 0<=x<=1, are no such thing."""


@pytest.mark.parametrize("command", [*COMMANDS, *WEIGHTS])
def test_values_are_called_what_they_are(command):
    usage, *lines = msdm(*command.split(), "--help", columns=80).stdout.splitlines()
    assert not re.search("[{}]", usage)
    names = [line[:34] for line in lines if line.startswith("  ")]
    assert not [line for line in names if TYPE.search(line)]


def test_the_usage_names_the_arguments():
    assert msdm("separate", "--help").stdout.startswith("Usage: msdm separate [OPTIONS] SONG...\n")
    assert msdm("check", "--help").stdout.startswith("Usage: msdm check [OPTIONS] DIR [SONG]\n")
    assert "\n  SONG...  Files (wav, " in msdm("separate", "--help").stdout
    assert "--quality [fast|default|best]" in msdm("separate", "--help").stdout


def test_options_stand_in_groups():
    text = msdm("separate", "--help", columns=80).stdout
    heads = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert heads == [
        "Arguments:",
        "Results:",
        "Part and length:",
        "Sampling:",
        "Model and device:",
        "Many machines:",
        "Options:",
    ]
    groups = dict(zip(heads, text.split("\n\n")[-len(heads) :], strict=True))
    assert "--device" in groups["Model and device:"]
    assert "--stems" in groups["Results:"]
    assert "--json" in groups["Options:"]


def test_what_an_imputation_needs_stands_first():
    text = msdm("impute", "--help", columns=80).stdout
    heads = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert heads[0] == "Stems:"
    stems = text.partition("Stems:")[2].partition("\n\n")[0]
    assert "--given [STEM=]PATH" in stems
    assert "--target STEM,..." in stems


def test_a_length_has_two_spellings(tiny, tmp_path):
    assert "--duration, --seconds TIME" in msdm("generate", "--help").stdout
    command = ("generate", "--model", "tiny", "--device", "cpu", "--dry-run", "--json")
    for option in ("--duration", "--seconds"):
        assert '"audio_seconds": 1.5' in msdm(*command, option, "0:01.5", "-o", tmp_path).stdout
