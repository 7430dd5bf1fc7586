"""``msdm weights pull`` and ``msdm weights import``: models from elsewhere."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.console import print_line, say
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import hinted
from msdm_cli.cli.options import QuietOption
from msdm_cli.errors import (
    MissingWeights,
    ModelExists,
    UnknownModel,
    UnreadableArchive,
    UnreadableCheckpoint,
)
from msdm_cli.models.registry import cache_folder, load_archives, load_registry

if TYPE_CHECKING:
    from msdm_cli.models.registry import Archive, ArchivedModel


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
