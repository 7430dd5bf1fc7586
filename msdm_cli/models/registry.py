"""The models that msdm knows by name: files that a person can read.

``weights/registry.json`` lists the models that ship with msdm, ``weights/archives.json`` those that
others offer. A model that was fetched or imported has a folder of its own in the cache, with an
``entry.json`` like an entry of the registry.
"""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from msdm_cli.errors import MissingWeights, UnfetchedModel, UnknownModel
from msdm_cli.small_files import read_small

EMBEDDED = "embedded"
ENTRY = "entry.json"
REINSTALL = "Install msdm again"
CHECKPOINT = ".th"
"""Suffix of a checkpoint that comes without a tar: one of Demucs."""


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

    def __post_init__(self) -> None:
        if Path(self.name).name != self.name:
            raise ValueError(f"expected the name of a file, got {self.name}")


@dataclass(frozen=True)
class WeightsEntry:
    """One model that is on this machine, or should be.

    Attributes:
        name: Name of the model.
        description: One line for a person.
        licence: SPDX identifier, or what is known.
        folder: Folder of its files.
        weights: The tensors, as safetensors.
        spec: The model's spec, as JSON.
        onnx: The exported graph, which reads its tensors from ``weights``; None if there is none.
        stages: The tensors of the stages that have names.
        graphs: The exported graphs of those stages.
    """

    name: str
    description: str
    licence: str
    folder: Path
    weights: WeightsFile
    spec: WeightsFile
    onnx: WeightsFile | None = None
    stages: dict[str, WeightsFile] = field(default_factory=dict)
    graphs: dict[str, WeightsFile] = field(default_factory=dict)

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """All its files."""
        graph = (self.onnx,) if self.onnx else ()
        stages = (*self.stages.values(), *self.graphs.values())
        return (self.weights, self.spec, *graph, *stages)

    @property
    def weights_sha256(self) -> str:
        """Digest of all weights, in hexadecimal: that of the file, or of all files' digests."""
        if not self.stages:
            return self.weights.sha256
        digests = [self.weights.sha256, *(file.sha256 for file in self.stages.values())]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def find_weights(self, stage: str) -> WeightsFile:
        """The file of a stage's tensors, by its name.

        Raises:
            MissingWeights: The registry has none.
        """
        if not stage:
            return self.weights
        if stage not in self.stages:
            raise MissingWeights(
                f"the model {self.name} has no weights of its stage {stage}",
                f"{REINSTALL}, or fetch the model again.",
            )
        return self.stages[stage]

    def find_graph(self, stage: str) -> WeightsFile | None:
        """The file of a stage's graph, by its name; None if it was not exported."""
        return self.graphs.get(stage) if stage else self.onnx


@dataclass(frozen=True)
class ArchivedModel:
    """A model inside an archive.

    Attributes:
        name: Name that the model will have.
        description: One line for a person.
        checkpoints: Folders of the archive that hold one checkpoint each. Several are the stems of
            a per-stem model, in the order of ``PAPER_STEMS``.
    """

    name: str
    description: str
    checkpoints: tuple[str, ...]


@dataclass(frozen=True)
class Archive:
    """A tar of checkpoints that others offer, or one checkpoint of Demucs.

    Attributes:
        name: Name of the archive, and of a checkpoint that comes alone.
        url: Its address.
        licence: SPDX identifier, or what is known.
        models: The models inside.
        sha256: Digest in hexadecimal; None if those who offer it state none.
        size_bytes: Its size, if it is known.
    """

    name: str
    url: str
    licence: str
    models: tuple[ArchivedModel, ...]
    sha256: str | None = None
    size_bytes: int | None = None

    @property
    def file_name(self) -> str:
        """What it is called while it is fetched."""
        return f"{self.name}{CHECKPOINT if self.is_checkpoint else '.tar'}"

    @property
    def is_checkpoint(self) -> bool:
        """Whether it is a checkpoint itself, without a tar around it."""
        return self.url.endswith(CHECKPOINT)


@cache
def weights_folder() -> Path:
    """Folder of the shipped weights: in the installed package, or at the top of a source tree.

    Raises:
        MissingWeights: There is neither.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "weights", package.parent / "weights"):
        if (folder / "registry.json").is_file():
            return folder
    raise MissingWeights("the embedded model is not installed", f"{REINSTALL}.")


def cache_folder() -> Path:
    """Folder of fetched and imported models: ``MSDM_CACHE``, or the user's cache."""
    import platformdirs  # not at the top, since `--help` reads this module

    return Path(os.environ.get("MSDM_CACHE") or platformdirs.user_cache_path("msdm"))


def load_registry() -> dict[str, WeightsEntry]:
    """All models on this machine by name, those that ship with msdm first.

    Raises:
        MissingWeights: A registry is missing or damaged.
    """
    entries = _load_shipped()
    for path in sorted(cache_folder().glob(f"*/{ENTRY}")):
        name = path.parent.name
        if name not in entries:
            entries[name] = _make_entry(path, name, _read(path))
    return entries


def _load_shipped() -> dict[str, WeightsEntry]:
    path = weights_folder() / "registry.json"
    return {name: _make_entry(path, name, fields) for name, fields in _read(path).items()}


def load_archives() -> dict[str, Archive]:
    """All archives that others offer, by name.

    Raises:
        MissingWeights: The list is missing or damaged.
    """
    path = weights_folder() / "archives.json"
    return {name: _make_archive(path, name, fields) for name, fields in _read(path).items()}


def find_entry(name: str) -> WeightsEntry:
    """The entry of a model on this machine.

    Raises:
        MissingWeights: The model is known, but not on this machine.
        UnknownModel: No model has that name.
    """
    registry = _load_shipped()
    # A damaged model in the cache must not stop what ships from working.
    if name not in registry:
        registry = load_registry()
    if name in registry:
        return registry[name]
    for archive in load_archives().values():
        if name in (model.name for model in archive.models):
            raise UnfetchedModel(
                f"the model {name} is not on this machine",
                f"Fetch the archive {archive.name} first.",
                archive.name,
            )
    raise UnknownModel(f"no model is called {name}", f"These are here: {', '.join(registry)}.")


def _read(path: Path) -> dict[str, Any]:
    import msgspec  # not at the top, since `--help` reads this module

    try:
        return msgspec.json.decode(read_small(path), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise _damaged(path, error) from error


def _make_entry(path: Path, name: str, fields: dict[str, Any]) -> WeightsEntry:
    """The entry of a model whose files are in the folder of ``path``."""
    import msgspec  # not at the top, since `--help` reads this module

    try:
        return msgspec.convert(fields | {"name": name, "folder": path.parent}, WeightsEntry)
    except (msgspec.ValidationError, TypeError) as error:
        raise _damaged(path, error) from error


def _make_archive(path: Path, name: str, fields: dict[str, Any]) -> Archive:
    import msgspec  # not at the top, since `--help` reads this module

    try:
        models = [{"name": model, **about} for model, about in fields["models"].items()]
        return msgspec.convert(fields | {"name": name, "models": models}, Archive)
    except (msgspec.ValidationError, AttributeError, LookupError, TypeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> MissingWeights:
    return MissingWeights(
        f"{path}: is damaged ({error})", f"{REINSTALL}, or remove that file if it is in the cache."
    )
