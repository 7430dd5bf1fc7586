import re
import shutil
import subprocess

import pytest
import typer

from msdm_cli.cli.app import app
from scripts.manpage import _escape, _list_commands, render


def test_every_command_and_option_is_there():
    text = render().replace("\\-", "-")
    commands = dict(_list_commands(typer.main.get_command(app)))
    assert {"separate", "mix", "view", "weights pull"} <= commands.keys()
    for name, command in commands.items():
        assert f".SS \\fBmsdm {name}\\fR" in text
        options = [word for one in command.params for word in one.opts if word.startswith("--")]
        assert all(option in text for option in options)
    assert "\n.nf\nExamples:\nmsdm separate song.flac\n" in text


def test_values_are_called_what_they_are():
    text = render().replace("\\-", "-")
    assert "\n\\fBSONG...\\fR\n" in text
    assert "--quality [fast|default|best]" in text
    assert not re.search(r"<\w", text)


def test_text_is_no_command_of_groff():
    assert _escape(".TH a\\b --x\n'y") == "\\&.TH a\\eb \\-\\-x\n\\&'y"


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_groff_has_no_complaints():
    command = ["groff", "-man", "-Tutf8", "-ww"]
    result = subprocess.run(command, input=render().encode(), capture_output=True, check=True)
    assert result.stderr == b""
    assert b"Separate songs into stems" in result.stdout
