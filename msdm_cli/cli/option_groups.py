"""Help of a command: its options in groups, and values that are named as a person would."""

import re
from typing import Any

from typer.core import TyperCommand

OTHER = "Options"

TYPES = {
    "<int>": "N",
    "<int range>": "N",
    "<float>": "X",
    "<float range>": "X",
    "<path>": "PATH",
    "<str>": "NAME",
}
"""What the help calls the value of an option, by what typer calls it if the option does not say."""

CHOICE = re.compile(r"<([^<>]*\|[^<>]*)>")
"""Typer's list of choices."""

TYPE_OF_ARGUMENT = re.compile(r" <[^<>]*>$")
REQUIRED_ARGUMENT = re.compile(r"\{([^{}]*)\}(?:\.\.\.)?")


class GroupedCommand(TyperCommand):
    """A command whose help shows its options by their ``rich_help_panel``, in plain text."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage: ``SONG...`` where typer writes ``{SONG...}...``."""
        pieces = super().collect_usage_pieces(ctx)
        return [REQUIRED_ARGUMENT.sub(r"\1", piece) for piece in pieces]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then each group of options, in the order of the first of each."""
        arguments = []
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            name, text = name_values(record[0]), record[1]
            if parameter.param_type_name == "argument":
                arguments.append((name, text))
                continue
            group = getattr(parameter, "rich_help_panel", None) or OTHER
            groups.setdefault(group, []).append((name, text))
        last = groups.pop(OTHER, [])
        for title, records in {"Arguments": arguments, **groups, OTHER: last}.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def name_values(name: str) -> str:
    """An option with a name for its value, or an argument, which is one, without its type."""
    if not name.startswith("-"):
        return TYPE_OF_ARGUMENT.sub("", name)
    for kind, value in TYPES.items():
        name = name.replace(kind, value)
    return CHOICE.sub(r"[\1]", name)
