"""The models that msdm knows by name: a file a person can read."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from msdm_cli.errors import MissingWeights, UnknownWeights

EMBEDDED = "embedded"


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
    """One model.

    Attributes:
        name: What commands call it.
        description: One line for a person.
        licence: SPDX identifier.
        weights: The tensors, as safetensors.
        spec: The model's spec, as JSON.
    """

    name: str
    description: str
    licence: str
    weights: WeightsFile
    spec: WeightsFile

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """All its files."""
        return (self.weights, self.spec)


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
    raise MissingWeights(
        "the embedded model is not installed", "Install msdm again: pip install --force-reinstall msdm"
    )


@cache
def load_registry() -> dict[str, WeightsEntry]:
    """All registered models by name.

    Raises:
        MissingWeights: The registry is not there, or damaged.
    """
    path = weights_folder() / "registry.json"
    try:
        return {
            name: WeightsEntry(
                name,
                entry["description"],
                entry["licence"],
                WeightsFile(**entry["weights"]),
                WeightsFile(**entry["spec"]),
            )
            for name, entry in json.loads(path.read_text(encoding="utf-8")).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MissingWeights(
            f"{path}: is damaged ({error})", "Install msdm again: pip install --force-reinstall msdm"
        ) from error


def find_entry(name: str) -> WeightsEntry:
    """The entry of a name.

    Raises:
        UnknownWeights: There is none.
    """
    registry = load_registry()
    if name not in registry:
        raise UnknownWeights(f"no model is called {name}", f"These are known: {', '.join(registry)}.")
    return registry[name]
