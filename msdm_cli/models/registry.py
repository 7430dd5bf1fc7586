"""The models that msdm knows by name: files a person can read.

``weights/registry.json`` lists what ships with msdm, ``weights/archives.json`` what others offer. A model that was
fetched or imported lies in a folder of its own in the cache, with an ``entry.json`` like those of the registry.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from msdm_cli.errors import MissingWeights, UnknownWeights

EMBEDDED = "embedded"
ENTRY = "entry.json"
REINSTALL = "Install msdm again (in its clone: pip install --force-reinstall --no-deps .)"


@dataclass(frozen=True)
class WeightsFile:
    """One file of a model.

    Attributes:
        name: File name.
        sha256: Digest in hexadecimal.
        size_bytes: Size.
    """

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class WeightsEntry:
    """One model that is on this machine, or should be.

    Attributes:
        name: What commands call it.
        description: One line for a person.
        licence: SPDX identifier, or what is known.
        folder: Where its files lie.
        weights: The tensors, as safetensors.
        spec: The model's spec, as JSON.
        onnx: The network as a graph that takes its weights from ``weights`` or a file of its own; None if it was not
            exported.
    """

    name: str
    description: str
    licence: str
    folder: Path
    weights: WeightsFile
    spec: WeightsFile
    onnx: WeightsFile | None = None

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """All its files."""
        return (self.weights, self.spec, self.onnx) if self.onnx else (self.weights, self.spec)


@dataclass(frozen=True)
class ArchivedModel:
    """A model inside an archive.

    Attributes:
        name: What commands will call it.
        description: One line for a person.
        checkpoints: Folders of the archive that hold a checkpoint each; several are the stems of a per-stem model.
    """

    name: str
    description: str
    checkpoints: tuple[str, ...]


@dataclass(frozen=True)
class Archive:
    """What others offer: a tar of checkpoints.

    Attributes:
        name: What commands call it.
        url: Where it is.
        licence: SPDX identifier, or what is known.
        models: The models inside.
    """

    name: str
    url: str
    licence: str
    models: tuple[ArchivedModel, ...]


@cache
def weights_folder() -> Path:
    """Where the shipped weights lie: inside the installed package, or at the top of a source tree.

    Raises:
        MissingWeights: There is neither.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "weights", package.parent / "weights"):
        if (folder / "registry.json").is_file():
            return folder
    raise MissingWeights("the embedded model is not installed", REINSTALL)


def cache_folder() -> Path:
    """Where models that are fetched or imported lie: ``MSDM_CACHE``, or the user's cache."""
    return Path(os.environ.get("MSDM_CACHE") or platformdirs.user_cache_path("msdm"))


def load_registry() -> dict[str, WeightsEntry]:
    """All models on this machine by name, those that ship with msdm first.

    Raises:
        MissingWeights: A registry is not there, or damaged.
    """
    entries = _load_shipped()
    for path in sorted(cache_folder().glob(f"*/{ENTRY}")):
        entries.setdefault(path.parent.name, _entry(path.parent.name, path.parent, _load(path)))
    return entries


def _load_shipped() -> dict[str, WeightsEntry]:
    shipped = weights_folder()
    return {
        name: _entry(name, shipped, fields)
        for name, fields in _load(shipped / "registry.json").items()
    }


def load_archives() -> dict[str, Archive]:
    """All archives that others offer, by name.

    Raises:
        MissingWeights: The list is not there, or damaged.
    """
    path = weights_folder() / "archives.json"
    archives = {}
    for name, fields in _load(path).items():
        models = tuple(
            ArchivedModel(model, told["description"], tuple(told["checkpoints"]))
            for model, told in fields["models"].items()
        )
        archives[name] = Archive(name, fields["url"], fields["licence"], models)
    return archives


def find_entry(name: str) -> WeightsEntry:
    """The entry of a model on this machine.

    Raises:
        MissingWeights: It is known, but not here.
        UnknownWeights: It is not known.
    """
    registry = _load_shipped()
    if (
        name not in registry
    ):  # a damaged entry of the cache is no reason not to work with what ships
        registry = load_registry()
    if name in registry:
        return registry[name]
    for archive in load_archives().values():
        if name in (model.name for model in archive.models):
            raise MissingWeights(
                f"the model {name} is not on this machine",
                f"Fetch it: msdm weights pull {archive.name}",
            )
    raise UnknownWeights(f"no model is called {name}", f"These are here: {', '.join(registry)}.")


def _load(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("not an object")
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    return content


def _entry(name: str, folder: Path, fields: Mapping[str, Any]) -> WeightsEntry:
    try:
        weights, spec = WeightsFile(**fields["weights"]), WeightsFile(**fields["spec"])
        onnx = WeightsFile(**fields["onnx"]) if "onnx" in fields else None
        return WeightsEntry(
            name, fields["description"], fields["licence"], folder, weights, spec, onnx
        )
    except (KeyError, TypeError) as error:
        raise _damaged(folder / ENTRY, error) from error


def _damaged(path: Path, error: Exception) -> MissingWeights:
    return MissingWeights(
        f"{path}: is damaged ({error})", f"{REINSTALL}, or remove it if it is in the cache."
    )
