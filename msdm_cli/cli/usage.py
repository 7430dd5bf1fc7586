"""What is wrong with the usage of a command, in words of our own."""

import typer

PARSER_PREFIX = "Value error, "
"""The library behind typer begins the message of a ValueError with this."""

LIMITS = ("less_than_equal", "greater_than_equal")
NO_NUMBER = {
    "int_parsing": "{} is no whole number",
    "int_from_float": "{} is no whole number",
    "float_parsing": "{} is no number",
}
"""What that library calls what is wrong with a value."""


def describe_usage(error: typer.TyperException) -> str:
    """What is wrong: the option, and its value."""
    found = _describe_value(error)
    if found is not None:
        error.message = found
    return error.format_message().replace(PARSER_PREFIX, "")


def _describe_value(error: typer.TyperException) -> str | None:
    """What is wrong with a number; None if no number is."""
    list_errors = getattr(error.__cause__, "errors", None)
    if list_errors is None:
        return None
    first = list_errors()[0]
    kind, value = first["type"], first["input"]
    if kind in NO_NUMBER:
        return NO_NUMBER[kind].format(value)
    return f"{value} is {_describe_limits(error)}" if kind in LIMITS else None


def _describe_limits(error: typer.TyperException) -> str:
    parameter = getattr(error, "param", None)
    low, high = (getattr(parameter, name, None) for name in ("min", "max"))
    if low is None or high is None:
        return f"less than {low}" if high is None else f"more than {high}"
    return f"not within {low} to {high}"
