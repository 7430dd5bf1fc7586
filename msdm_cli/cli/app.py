"""The command ``msdm``. Only here, errors become exit codes.

0: all done. 1: an input failed. 2: wrong usage. 130: interrupted.
"""

import sys
from typing import Annotated

import typer

from msdm_cli import __version__
from msdm_cli.cli import check, doctor, evaluate, generate, impute, rerun, separate, weights
from msdm_cli.cli.console import show_error
from msdm_cli.cli.heap import keep_one_heap
from msdm_cli.errors import MsdmError

app = typer.Typer(
    name="msdm",
    help="Separate songs into stems, impute missing stems, generate music and its stems.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("separate")(separate.separate)
app.command("impute")(impute.impute)
app.command("generate")(generate.generate)
app.command("check")(check.check)
app.command("rerun")(rerun.rerun)
app.command("evaluate")(evaluate.evaluate)
app.command("doctor")(doctor.doctor)
app.add_typer(weights.app, name="weights")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"msdm {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    keep_one_heap()
    try:
        sys.exit(app(prog_name="msdm", standalone_mode=False))
    except MsdmError as error:
        show_error(error)
        sys.exit(1)
    except typer.TyperException as error:  # wrong usage
        message = error.format_message()
        if "\n" in message:  # the help, if there are no arguments at all
            typer.echo(message, err=True)
        else:
            show_error(MsdmError(message, "See msdm --help, or add --help to a command."))
        sys.exit(error.exit_code)
