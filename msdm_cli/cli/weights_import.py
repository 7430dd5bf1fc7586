"""``msdm weights pull`` and ``msdm weights import``: models from elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.console import print_line
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import hinted
from msdm_cli.cli.options import QuietOption
from msdm_cli.errors import (
    MissingWeights,
    ModelExists,
    UnknownModel,
    UnreadableCheckpoint,
)
from msdm_cli.models.registry import load_archives, load_registry

if TYPE_CHECKING:
    from msdm_cli.models.registry import Archive


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
    """Fetch models of the paper's authors or of Demucs.

    No code in the checkpoints is run. msdm weights list shows what they may be used for. The
    paper's authors publish no checksum and state no licence.
    """
    archive = _find_archive(name)
    here = load_registry()
    missing = [model for model in archive.models if model.name not in here]
    if missing and offline:
        raise MissingWeights(f"{name} is not on this machine", "Leave out --offline to fetch it.")
    if missing:
        from msdm_cli.models.pull import pull_archive

        with Display(quiet=quiet) as display:
            entries = pull_archive(archive, display.piece())
        for entry in entries:
            print_line(f"{entry.name}: {entry.folder}")
        if entries:
            return
    print_line(f"on this machine already: {', '.join(model.name for model in archive.models)}")


def _find_archive(name: str) -> "Archive":
    archives = load_archives()
    for archive in archives.values():
        if name == archive.name or name in (model.name for model in archive.models):
            return archive
    raise UnknownModel(
        f"no model that can be fetched is called {name}", f"These can: {', '.join(archives)}."
    )


def import_weights(
    checkpoints: Annotated[
        list[Path],
        typer.Argument(
            metavar="CHECKPOINT...",
            help="A .ckpt file, or four of them; a tar that holds one; a .th or .safetensors file "
            "of Demucs; or the folders of one training run or three.",
        ),
    ],
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the new model.")],
) -> None:
    """Import checkpoints that were downloaded, or training runs.

    One checkpoint is a joint model. Four are the stems of a model: bass, drums, guitar and piano,
    in this order. One run is a model that separates. Three runs (of a separator, a sketch_prior and
    a sketch_envelope, in any order) are a model that imputes and generates, too.
    """
    import tempfile  # not at the top, since `--help` reads this module

    from msdm_cli.models.adopt import UNKNOWN_LICENCE, adopt_checkpoints
    from msdm_cli.models.registry import EMBEDDED

    if not name.replace("-", "").replace("_", "").isalnum():
        raise typer.BadParameter(
            f"{name} is not a name of letters, digits, - and _", param_hint="--name"
        )
    description = f"imported from {', '.join(path.name for path in checkpoints)}"
    taken = f"Choose another --name, or run msdm weights remove {name} first."
    if name == EMBEDDED:  # it ships with msdm, and cannot be removed
        taken = "Choose another --name."
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
    from msdm_cli.models.demucs_checkpoint import is_demucs

    first = checkpoints[0]
    alone = first.suffix == SUFFIX or is_demucs(first)
    if len(checkpoints) > 1 or not first.is_file() or alone:
        return checkpoints
    found = extract_checkpoints(first, folder)
    if len(found) != 1:  # nothing in a tar says which stem a checkpoint is of
        raise UnreadableCheckpoint(
            f"{first}: holds {len(found)} checkpoints ({', '.join(found)})",
            "Unpack it. Import a joint model, or one checkpoint each of bass, drums, guitar and "
            "piano, in this order.",
        )
    return list(found.values())
