"""The manual page of ``msdm``, from the same text as its help.

    python -m scripts.manpage > msdm.1 && man ./msdm.1

Source of the language: groff_man(7).
"""

import re
from collections.abc import Iterator
from typing import Any

import typer

from msdm_cli import __version__
from msdm_cli.cli.app import app
from msdm_cli.cli.option_groups import OTHER, name_values

EXIT_CODES = (
    ("0", "All done."),
    ("1", "An input failed; the others are done."),
    ("2", "Wrong usage, or an unknown model."),
    ("129, 130, 143", "Stopped by SIGHUP, Ctrl-C or SIGTERM. The same command continues."),
)
KEEP_LINES = "\b"
"""A paragraph of the help that begins with this keeps its lines."""


def render() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    lines = [f'.TH MSDM 1 "" "msdm {__version__}" "User Commands"', ".SH NAME"]
    lines += [f"msdm \\- {_escape(_lower(root.help or ''))}", ".SH SYNOPSIS"]
    lines += [r"\fBmsdm\fR \fICOMMAND\fR [\fIOPTION\fR]...", ".SH COMMANDS"]
    for name, command in _list_commands(root):
        lines += _render_command(name, command)
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_CODES:
        lines += [".TP", code, meaning]
    lines += [".SH ENVIRONMENT", ".TP", "MSDM_CACHE", "The folder of models that were fetched."]
    return "\n".join(lines) + "\n"


def _list_commands(root: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            yield from _list_commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _render_command(name: str, command: Any) -> Iterator[str]:
    context = typer.Context(command, info_name=f"msdm {name}")
    words = [f"\\fBmsdm {_escape(name)}\\fR", "[\\fIOPTION\\fR]..."]
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    words += [f"\\fI{_escape(one.metavar or one.name.upper())}\\fR" for one in arguments]
    yield f".SS {' '.join(words)}"
    for paragraph in re.split(r"\n\s*\n", command.help or ""):
        yield from _render_paragraph(paragraph)
    groups: dict[str, list[str]] = {}
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record:
            group = getattr(parameter, "rich_help_panel", None) or OTHER
            entry = groups.setdefault("Arguments" if parameter in arguments else group, [])
            entry += [".TP", f"\\fB{_escape(name_values(record[0]))}\\fR", _escape(record[1])]
    last = groups.pop(OTHER, [])
    for title, lines in {**groups, OTHER: last}.items():
        yield from (".PP", f"\\fI{_escape(title)}\\fR", *lines)


def _render_paragraph(paragraph: str) -> Iterator[str]:
    lines = [line.strip() for line in paragraph.strip("\n").splitlines()]
    if lines[0] != KEEP_LINES:
        yield from (".PP", _escape(" ".join(lines)))
        return
    yield from (".PP", ".nf", *(_escape(line) for line in lines[1:]), ".fi")


def _escape(text: str) -> str:
    """Text that groff takes as it is: no line begins with a command, no hyphen is a dash."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


if __name__ == "__main__":
    print(render(), end="")
