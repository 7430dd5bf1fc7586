"""``msdm weights``: the models that are here."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from msdm_cli.backends.runtime import PRECISIONS
from msdm_cli.cli.console import print_line, show_json, show_table
from msdm_cli.cli.hints import hinted
from msdm_cli.cli.option_checks import choose_from
from msdm_cli.cli.option_groups import GroupedCommand
from msdm_cli.cli.options import JsonSummaryOption
from msdm_cli.cli.weights_import import import_weights, pull
from msdm_cli.errors import ModelExists, UnwritableWeights
from msdm_cli.models.registry import EMBEDDED, find_entry, load_archives, load_registry

app = typer.Typer(
    no_args_is_help=True,
    help="List, fetch, import, check, export and remove models.",
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a model.")]


@app.command("list", cls=GroupedCommand)
def list_weights(as_json: JsonSummaryOption = False) -> None:
    """List the models on this machine, and those that can be fetched."""
    entries = load_registry()
    offered: list[dict[str, Any]] = [
        {
            "name": model.name,
            "description": model.description,
            "licence": archive.licence,
            "archive": archive.name,
            "url": archive.url,
            "sha256": archive.sha256,
            "size_bytes": archive.size_bytes,
        }
        for archive in load_archives().values()
        for model in archive.models
        if model.name not in entries
    ]
    if as_json:
        models = [dataclasses.asdict(entry) for entry in entries.values()]
        show_json({"models": models, "offered": offered})
        return
    rows = [
        (
            entry.name,
            f"{sum(file.size_bytes for file in entry.files) / 1e6:.1f} MB",
            entry.licence,
            entry.description,
        )
        for entry in entries.values()
    ]
    rows += [
        (
            model["name"],
            f"{_format_size(model['size_bytes'])}pull {model['archive']}",
            model["licence"],
            model["description"],
        )
        for model in offered
    ]
    show_table("models", ("name", "size", "licence", "description"), rows)


def _format_size(size_bytes: int | None) -> str:
    return f"{size_bytes / 1e6:.1f} MB, " if size_bytes else ""


@app.command(cls=GroupedCommand)
def path(name: NameArgument = EMBEDDED) -> None:
    """Print the path of a model's weights."""
    from msdm_cli.models.verify import locate

    entry = find_entry(name)
    print_line(str(locate(entry, entry.weights)))


@app.command(cls=GroupedCommand)
def verify(name: NameArgument = EMBEDDED) -> None:
    """Compare a model's files with the sha256 in the registry."""
    from msdm_cli.models.verify import check_file

    entry = find_entry(name)
    for file in entry.files:
        print_line(f"{check_file(entry, file)}: ok, sha256 {file.sha256}")


app.command("pull", cls=GroupedCommand)(pull)
app.command("import", cls=GroupedCommand)(import_weights)


@app.command(cls=GroupedCommand)
def export(
    name: NameArgument = EMBEDDED,
    *,
    precision: Annotated[
        str,
        typer.Option(
            "--precision",
            metavar="[fp32|fp16]",
            callback=choose_from(lambda: [name for name in PRECISIONS if name != "bf16"]),
            help="Precision of the network. fp16 is for GPUs.",
        ),
    ] = "fp32",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Path of the graph. A copy of the weights goes beside it. By default the graph "
            "joins the files of the model.",
        ),
    ] = None,
) -> None:
    """Export a model to ONNX, for --backend onnx.

    The graph is compared with PyTorch, and refused if rounding does not explain the difference. It
    reads its weights from the safetensors file beside it.
    """
    from msdm_cli.models.export import export_model

    elsewhere = "Choose another path with --output PATH."
    with hinted({UnwritableWeights: elsewhere, ModelExists: elsewhere}):
        made = export_model(find_entry(name), output, precision)
    print_line(f"{made.path}: reads its weights from {made.weights.name}")
    print_line(
        f"largest difference from PyTorch: {made.max_error:.2g} of the largest sample; "
        f"RMS {made.rms_error:.2g}"
    )


@app.command(cls=GroupedCommand)
def remove(name: NameArgument) -> None:
    """Remove a model that was fetched or imported."""
    from msdm_cli.models.adopt import remove_model

    entry = find_entry(name)
    remove_model(entry)
    print_line(f"removed {entry.folder}")
