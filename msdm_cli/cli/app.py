"""The command ``msdm``, and its exit codes.

0: all done. 1: an input failed. 2: wrong usage. 129, 130, 143: stopped by SIGHUP, Ctrl-C, SIGTERM.
"""

import sys
from typing import Annotated

import typer

from msdm_cli import __version__
from msdm_cli.cli import (
    check,
    doctor,
    evaluate,
    generate,
    impute,
    mix,
    rerun,
    separate,
    view,
    weights,
)
from msdm_cli.cli.console import show_error
from msdm_cli.cli.heap import keep_one_heap
from msdm_cli.cli.home import expand_home
from msdm_cli.cli.option_groups import GroupedCommand
from msdm_cli.cli.signals import SignalWatch, remove_temporary_folders
from msdm_cli.cli.streams import StandardStreams
from msdm_cli.cli.system_errors import describe_failure
from msdm_cli.cli.usage import describe_usage
from msdm_cli.errors import FAILURES, MsdmError, UnknownModel

INTERRUPTED = 130
NO_ARGUMENTS = "NoArgsIsHelpError"
"""Class of the error that typer raises where there are no arguments at all."""

app = typer.Typer(
    name="msdm",
    help="Separate songs into stems, impute missing stems, generate music and its stems.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("separate", cls=GroupedCommand)(separate.separate)
app.command("impute", cls=GroupedCommand)(impute.impute)
app.command("generate", cls=GroupedCommand)(generate.generate)
app.command("mix", cls=GroupedCommand)(mix.mix)
app.command("view", cls=GroupedCommand)(view.view)
app.command("check", cls=GroupedCommand)(check.check)
app.command("rerun", cls=GroupedCommand)(rerun.rerun)
app.command("evaluate", cls=GroupedCommand)(evaluate.evaluate)
app.command("doctor", cls=GroupedCommand)(doctor.doctor)
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
    sys.argv[1:] = map(expand_home, sys.argv[1:])
    with StandardStreams() as streams, SignalWatch() as watch:
        code = _run()
        if code == INTERRUPTED and watch.exit_code is not None:
            code = watch.exit_code
        remove_temporary_folders()
        lost = streams.find_failure()
        if lost is not None:
            show_error(lost)
            code = code or 1
    sys.exit(code)


def _run() -> int:
    """Run a command; its exit code."""
    try:
        return app(prog_name="msdm", standalone_mode=False) or 0
    except typer.TyperException as error:  # wrong usage
        message = describe_usage(error)
        if type(error).__name__ == NO_ARGUMENTS:  # its message is the help
            typer.echo(message, err=True)
        else:
            show_error(MsdmError(message, "See msdm --help, or add --help to a command."))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except FAILURES as error:
        show_error(describe_failure(error))
        return 2 if isinstance(error, UnknownModel) else 1
