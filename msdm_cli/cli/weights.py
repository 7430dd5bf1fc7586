"""``msdm weights``."""

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.console import say, show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.options import ExportPrecision, JsonOption, QuietOption
from msdm_cli.errors import (
    IncompatibleCheckpoint,
    MissingWeights,
    UnknownWeights,
    UnreadableWeights,
)
from msdm_cli.models.registry import (
    EMBEDDED,
    cache_folder,
    find_entry,
    load_archives,
    load_registry,
)

if TYPE_CHECKING:
    from msdm_cli.models.registry import Archive

app = typer.Typer(
    no_args_is_help=True, help="Models: what there is, where it lies, whether it is whole."
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a model.")]


@app.command("list")
def list_weights(as_json: JsonOption = False) -> None:
    """List the models that are here, and those that can be fetched."""
    entries = load_registry()
    offered = [
        {
            "name": model.name,
            "description": model.description,
            "licence": archive.licence,
            "archive": archive.name,
        }
        for archive in load_archives().values()
        for model in archive.models
        if model.name not in entries
    ]
    if as_json:
        show_json(
            {
                "models": [dataclasses.asdict(entry) for entry in entries.values()],
                "offered": offered,
            }
        )
        return
    rows = [
        (e.name, f"{e.weights.size_bytes / 1e6:.1f} MB", e.licence, e.description)
        for e in entries.values()
    ]
    rows += [(o["name"], f"pull {o['archive']}", o["licence"], o["description"]) for o in offered]
    show_table("models", ("name", "size", "licence", "description"), rows)


@app.command()
def path(name: NameArgument = EMBEDDED) -> None:
    """Print where a model's weights lie."""
    from msdm_cli.models.verify import locate

    entry = find_entry(name)
    typer.echo(locate(entry, entry.weights))


@app.command()
def verify(name: NameArgument = EMBEDDED) -> None:
    """Compare a model's files with the registry's sha256."""
    from msdm_cli.models.verify import check_file

    entry = find_entry(name)
    for file in entry.files:
        typer.echo(f"{check_file(entry, file)}: ok, sha256 {file.sha256}")


@app.command()
def pull(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of an archive or model in msdm weights list."),
    ],
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Do not use the network.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Fetch the authors' checkpoints and make them models of msdm.

    They are converted without running what they carry. The authors state no licence and publish no checksum: what
    came is recorded as it came.
    """
    archive = _find_archive(name)
    wanted = [model.name for model in archive.models]
    here = load_registry()
    if all(model in here for model in wanted):
        typer.echo(f"here already: {', '.join(wanted)}")
        return
    if offline:
        raise MissingWeights(f"{name} is not on this machine", "Say it again without --offline.")
    _fetch_and_adopt(archive, [model for model in wanted if model not in here], quiet=quiet)


def _find_archive(name: str) -> "Archive":
    archives = load_archives()
    for archive in archives.values():
        if name == archive.name or name in (model.name for model in archive.models):
            return archive
    raise UnknownWeights(
        f"nothing that can be fetched is called {name}", f"These can: {', '.join(archives)}."
    )


def _fetch_and_adopt(archive: "Archive", missing: list[str], *, quiet: bool) -> None:
    from msdm_cli.models.adopt import adopt_checkpoints
    from msdm_cli.models.archive import extract_checkpoints
    from msdm_cli.models.download import fetch_archive
    from msdm_cli.models.verify import digest

    downloads = cache_folder() / ".downloads"
    with Display(quiet=quiet) as display:
        tar = fetch_archive(archive.url, downloads / f"{archive.name}.tar", display.piece())
    if not quiet:
        say(
            f"{archive.url}: sha256 {digest(tar)}; its authors publish none to compare it with, and state no licence"
        )
    with tempfile.TemporaryDirectory(dir=downloads) as folder:
        try:
            found = extract_checkpoints(tar, Path(folder))
        except (
            UnreadableWeights
        ) as error:  # it lies under its final name, and would not be fetched again
            raise UnreadableWeights(
                error.message, f"Remove {tar}, and say the same again."
            ) from error
        for model in archive.models:
            if model.name in missing:
                if lacking := [
                    checkpoint for checkpoint in model.checkpoints if checkpoint not in found
                ]:
                    raise IncompatibleCheckpoint(
                        f"{tar}: has no checkpoint {', '.join(lacking)}",
                        f"It has {', '.join(found)}. Unpack it, and say msdm weights import CHECKPOINT.",
                    )
                checkpoints = [found[checkpoint] for checkpoint in model.checkpoints]
                entry = adopt_checkpoints(
                    model.name, checkpoints, model.description, archive.licence
                )
                typer.echo(f"{entry.name}: {entry.folder}")
    tar.unlink()


@app.command("import")
def import_weights(
    checkpoints: Annotated[
        list[Path],
        typer.Argument(metavar="CHECKPOINT...", help=".ckpt files, a tar of one, or a RUN."),
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="What to call the model.")],
) -> None:
    """Make a model of checkpoints: a joint one, or one each of bass, drums, guitar, piano.

    Takes the authors' checkpoints, a tar that holds one, and the folder of a run of scripts/train.py.
    """
    from msdm_cli.models.adopt import UNKNOWN_LICENCE, adopt_checkpoints
    from msdm_cli.models.archive import SUFFIX, extract_checkpoints

    if not name.replace("-", "").replace("_", "").isalnum():
        raise typer.BadParameter(
            f"{name} is not a name of letters, digits, - and _", param_hint="--name"
        )
    with tempfile.TemporaryDirectory() as folder:
        description = f"imported from {', '.join(path.name for path in checkpoints)}"
        if len(checkpoints) == 1 and checkpoints[0].is_file() and checkpoints[0].suffix != SUFFIX:
            found = extract_checkpoints(checkpoints[0], Path(folder))
            if len(found) != 1:  # nothing in a tar tells which stem a checkpoint is of
                raise IncompatibleCheckpoint(
                    f"{checkpoints[0]}: holds {len(found)} checkpoints ({', '.join(found)})",
                    "Unpack it, and import a joint model, or one each of bass, drums, guitar, piano, in this order.",
                )
            checkpoints = list(found.values())
        entry = adopt_checkpoints(name, checkpoints, description, UNKNOWN_LICENCE)
    typer.echo(f"{entry.name}: {entry.folder}")


@app.command()
def export(
    name: NameArgument = EMBEDDED,
    *,
    precision: Annotated[
        ExportPrecision, typer.Option("--precision", help="Of the learned part; fp16 is for GPUs.")
    ] = ExportPrecision.fp32,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where the graph goes, with a copy of the weights.",
        ),
    ] = None,
) -> None:
    """Export a model to ONNX, for --backend onnx.

    The graph is compared with PyTorch, and refused if they differ by more than rounding explains. Its weights stay in
    the safetensors file beside it.
    """
    from msdm_cli.models.export import export_model

    made = export_model(find_entry(name), output, precision.value)
    typer.echo(f"{made.path}: takes its weights from {made.weights.name}")
    typer.echo(
        f"error against PyTorch: {made.max_error:.2g} of the largest sample, {made.rms_error:.2g} RMS"
    )


@app.command()
def remove(name: NameArgument) -> None:
    """Remove a model that was fetched or imported."""
    from msdm_cli.models.adopt import remove_model

    entry = find_entry(name)
    remove_model(entry)
    typer.echo(f"removed {entry.folder}")
