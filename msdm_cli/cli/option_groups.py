"""Help of a command: its options in groups."""

from typing import Any

from typer.core import TyperCommand

OTHER = "Options"


class GroupedCommand(TyperCommand):
    """A command whose help shows its options by their ``rich_help_panel``, in plain text."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then each group of options, in the order of the first of each."""
        arguments = []
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                arguments.append(record)
                continue
            group = getattr(parameter, "rich_help_panel", None) or OTHER
            groups.setdefault(group, []).append(record)
        last = groups.pop(OTHER, [])
        for title, records in {"Arguments": arguments, **groups, OTHER: last}.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
