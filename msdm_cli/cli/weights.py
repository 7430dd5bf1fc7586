"""``msdm weights``."""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.backends.runtime import PRECISIONS
from msdm_cli.cli.console import print_line, say, show_json, show_table
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import hinted
from msdm_cli.cli.options import JsonSummaryOption, QuietOption, choose_from
from msdm_cli.errors import (
    MissingWeights,
    ModelExists,
    UnknownModel,
    UnreadableArchive,
    UnreadableCheckpoint,
    UnwritableWeights,
)
from msdm_cli.models.registry import (
    EMBEDDED,
    cache_folder,
    find_entry,
    load_archives,
    load_registry,
)

if TYPE_CHECKING:
    from msdm_cli.models.registry import Archive, ArchivedModel

app = typer.Typer(
    no_args_is_help=True,
    help="List, fetch, import, check, export and remove models.",
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of a model.")]


@app.command("list")
def list_weights(as_json: JsonSummaryOption = False) -> None:
    """List the models on this machine, and those that can be fetched."""
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
        models = [dataclasses.asdict(entry) for entry in entries.values()]
        show_json({"models": models, "offered": offered})
        return
    rows = [
        (
            entry.name,
            f"{entry.weights.size_bytes / 1e6:.1f} MB",
            entry.licence,
            entry.description,
        )
        for entry in entries.values()
    ]
    rows += [
        (model["name"], f"pull {model['archive']}", model["licence"], model["description"])
        for model in offered
    ]
    show_table("models", ("name", "size", "licence", "description"), rows)


@app.command()
def path(name: NameArgument = EMBEDDED) -> None:
    """Print the path of a model's weights."""
    from msdm_cli.models.verify import locate

    entry = find_entry(name)
    print_line(str(locate(entry, entry.weights)))


@app.command()
def verify(name: NameArgument = EMBEDDED) -> None:
    """Compare a model's files with the sha256 in the registry."""
    from msdm_cli.models.verify import check_file

    entry = find_entry(name)
    for file in entry.files:
        print_line(f"{check_file(entry, file)}: ok, sha256 {file.sha256}")


@app.command()
def pull(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of a model or archive that msdm weights list shows."
        ),
    ],
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fail if the network would be used.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Fetch checkpoints of the paper's authors and import them.

    No code in the checkpoints is run. The authors publish no checksum and state no licence.
    """
    archive = _find_archive(name)
    here = load_registry()
    missing = [model for model in archive.models if model.name not in here]
    if not missing:
        names = ", ".join(model.name for model in archive.models)
        print_line(f"on this machine already: {names}")
        return
    if offline:
        raise MissingWeights(f"{name} is not on this machine", "Leave out --offline to fetch it.")
    _fetch_and_import(archive, missing, quiet=quiet)


def _find_archive(name: str) -> "Archive":
    archives = load_archives()
    for archive in archives.values():
        if name == archive.name or name in (model.name for model in archive.models):
            return archive
    raise UnknownModel(
        f"no model that can be fetched is called {name}", f"These can: {', '.join(archives)}."
    )


def _fetch_and_import(
    archive: "Archive", missing: "Sequence[ArchivedModel]", *, quiet: bool
) -> None:
    """Fetch an archive, import the models in it that are missing, and remove it."""
    from msdm_cli.digest import digest_file
    from msdm_cli.models.archive import extract_checkpoints
    from msdm_cli.models.download import fetch_archive

    downloads = cache_folder() / ".downloads"
    with Display(quiet=quiet) as display:
        tar = fetch_archive(archive.url, downloads / f"{archive.name}.tar", display.piece())
    if not quiet:
        say(f"{archive.url}: sha256 {digest_file(tar)}")
    with tempfile.TemporaryDirectory(dir=downloads) as folder:
        # The damaged file has its final name, and so would not be fetched again.
        with hinted({UnreadableArchive: f"Remove {tar}, and run msdm weights pull again."}):
            found = extract_checkpoints(tar, Path(folder))
        for model in missing:
            _import_model(archive, model, found, tar)
    tar.unlink()


def _import_model(
    archive: "Archive", model: "ArchivedModel", found: Mapping[str, Path], tar: Path
) -> None:
    from msdm_cli.models.adopt import adopt_checkpoints

    lacking = [name for name in model.checkpoints if name not in found]
    if lacking:
        raise UnreadableArchive(
            f"{tar}: has no checkpoint {', '.join(lacking)}",
            f"It has {', '.join(found)}. Unpack it, and run msdm weights import CHECKPOINT.",
        )
    checkpoints = [found[name] for name in model.checkpoints]
    entry = adopt_checkpoints(model.name, checkpoints, model.description, archive.licence)
    print_line(f"{entry.name}: {entry.folder}")


@app.command("import")
def import_weights(
    checkpoints: Annotated[
        list[Path],
        typer.Argument(
            metavar="CHECKPOINT...",
            help="A .ckpt file, or four of them; a tar that holds one; or the folder of a training "
            "run.",
        ),
    ],
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the new model.")],
) -> None:
    """Import checkpoints of the paper's authors, or a training run.

    One checkpoint is a joint model. Four are the stems of a model: bass, drums, guitar and piano,
    in this order.
    """
    from msdm_cli.models.adopt import UNKNOWN_LICENCE, adopt_checkpoints

    if not name.replace("-", "").replace("_", "").isalnum():
        raise typer.BadParameter(
            f"{name} is not a name of letters, digits, - and _", param_hint="--name"
        )
    description = f"imported from {', '.join(path.name for path in checkpoints)}"
    taken = f"Choose another --name, or run msdm weights remove {name} first."
    with tempfile.TemporaryDirectory() as folder, hinted({ModelExists: taken}):
        unpacked = _unpack(checkpoints, Path(folder))
        entry = adopt_checkpoints(name, unpacked, description, UNKNOWN_LICENCE)
    print_line(f"{entry.name}: {entry.folder}")


def _unpack(checkpoints: Sequence[Path], folder: Path) -> Sequence[Path]:
    """The checkpoint in a tar, if that is what was given.

    Raises:
        UnreadableCheckpoint: The tar holds several.
    """
    from msdm_cli.models.archive import SUFFIX, extract_checkpoints

    first = checkpoints[0]
    if len(checkpoints) > 1 or not first.is_file() or first.suffix == SUFFIX:
        return checkpoints
    found = extract_checkpoints(first, folder)
    if len(found) != 1:  # nothing in a tar says which stem a checkpoint is of
        raise UnreadableCheckpoint(
            f"{first}: holds {len(found)} checkpoints ({', '.join(found)})",
            "Unpack it. Import a joint model, or one checkpoint each of bass, drums, guitar and "
            "piano, in this order.",
        )
    return list(found.values())


@app.command()
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

    full = "Make room there, or choose another place with --output PATH."
    shipped = "Choose another place for the graph with --output PATH."
    with hinted({UnwritableWeights: full, ModelExists: shipped}):
        made = export_model(find_entry(name), output, precision)
    print_line(f"{made.path}: reads its weights from {made.weights.name}")
    print_line(
        f"largest difference from PyTorch: {made.max_error:.2g} of the largest sample; "
        f"RMS {made.rms_error:.2g}"
    )


@app.command()
def remove(name: NameArgument) -> None:
    """Remove a model that was fetched or imported."""
    from msdm_cli.models.adopt import remove_model

    entry = find_entry(name)
    remove_model(entry)
    print_line(f"removed {entry.folder}")
