"""``msdm weights``."""

import dataclasses
from typing import Annotated

import typer

from msdm_cli.cli.console import show_json, show_table
from msdm_cli.cli.options import JsonOption
from msdm_cli.hub.registry import EMBEDDED, find_entry, load_registry

app = typer.Typer(no_args_is_help=True, help="Models: what there is, where it lies, whether it is whole.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a model.")]


@app.command("list")
def list_weights(as_json: JsonOption = False) -> None:
    """List the models that msdm knows."""
    entries = load_registry().values()
    if as_json:
        show_json([dataclasses.asdict(entry) for entry in entries])
        return
    rows = [(e.name, f"{e.weights.size_bytes / 1e6:.1f} MB", e.licence, e.description) for e in entries]
    show_table("models", ("name", "size", "licence", "description"), rows)


@app.command()
def path(name: NameArgument = EMBEDDED) -> None:
    """Print where a model's weights lie."""
    from msdm_cli.hub.verify import locate

    typer.echo(locate(find_entry(name).weights))


@app.command()
def verify(name: NameArgument = EMBEDDED) -> None:
    """Compare a model's files with the registry's sha256."""
    from msdm_cli.hub.verify import check_file

    for file in find_entry(name).files:
        typer.echo(f"{check_file(file)}: ok, sha256 {file.sha256}")
