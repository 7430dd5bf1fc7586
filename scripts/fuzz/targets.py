"""What is fuzzed, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis.strategies import SearchStrategy

from msdm_cli.errors import MsdmError
from scripts.fuzz import archives, checkpoints, journals, manifests, readers


@dataclass(frozen=True)
class Target:
    """A row of the table.

    Attributes:
        inputs: Makes the strategy that draws inputs.
        read: Reads an input in an empty folder. An error of msdm is as good as a result.
    """

    inputs: Callable[[], SearchStrategy[Any]]
    read: Callable[[Any, Path], None]

    def attempt(self, damaged: Any, folder: Path) -> None:
        """Read an input, and check an error that is raised.

        Raises:
            AssertionError: The error is not one line, or is long.
        """
        try:
            self.read(damaged, folder)
        except MsdmError as error:
            assert "\n" not in error.message + error.remedy, error.message
            assert 0 < len(error.message) < 3000 + 2 * len(str(folder)), error.message
            assert error.remedy


TARGETS = {
    "readers": Target(readers.list_inputs, readers.read),
    "manifests": Target(manifests.list_inputs, manifests.read),
    "journals": Target(journals.list_inputs, journals.read),
    "checkpoints": Target(checkpoints.list_inputs, checkpoints.read),
    "archives": Target(archives.list_inputs, archives.read),
}
