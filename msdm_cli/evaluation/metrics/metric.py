"""What a metric is: how it scores one song, and how its scores are put together and shown."""

import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Generic, Protocol, TypeVar

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import MissingPackage

UNFETCHED = (OSError, RuntimeError, ValueError, ImportError, EOFError)
"""Errors of packages whose weights are not here, and cannot be fetched or are not wanted."""


@dataclass(frozen=True)
class SeparatedSong:
    """A song whose stems are known and were also estimated.

    Attributes:
        method: What made the estimates.
        song: Name of the song.
        names: Names of the S stems.
        estimate: Estimated stems, ``[S, T]``.
        stems: True stems, whose sum is the mixture, ``[S, T]``.
        sample_rate: In hertz.
    """

    method: str
    song: str
    names: Sequence[str]
    estimate: Samples
    stems: Samples
    sample_rate: int


def average(values: Iterable[float]) -> float:
    """The mean of the values that are numbers; NaN if none is."""
    counted = [value for value in values if not math.isnan(value)]
    return fmean(counted) if counted else math.nan


class Row(Protocol):
    """A line of a table of scores: a frozen dataclass whose fields are str, int, float or bool."""

    @property
    def method(self) -> str:
        """What made the estimates."""
        ...

    @property
    def song(self) -> str:
        """Name of the song."""
        ...

    @property
    def stem(self) -> str:
        """Name of the stem."""
        ...


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True)
class Figures:
    """What the scores of one method come to. NaN stands for a figure that no score belongs to.

    Attributes:
        stems: One figure for each stem, by its name.
        overall: Figures over all stems, by name.
    """

    stems: Mapping[str, float]
    overall: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """The figures of one method.

    Attributes:
        method: What made the estimates.
        songs: Number of songs that were scored.
        stems: One figure for each stem, by its name.
        overall: Figures over all stems, by name.
    """

    method: str
    songs: int
    stems: Mapping[str, float]
    overall: Mapping[str, float]


@dataclass(frozen=True)
class Column:
    """How a figure over all stems is shown.

    Attributes:
        heading: Head of its column.
        decimals: Digits after the point.
    """

    heading: str
    decimals: int = 2


@dataclass(frozen=True)
class Package:
    """An optional package that a metric needs.

    Attributes:
        module: The module to import.
        installation: What to do if that fails, as a sentence.
        load: Loads the weights that the package fetches when it is first used.
        weights: What to do if that fails, as a sentence.
    """

    module: str
    installation: str
    load: Callable[[], object] = lambda: None
    weights: str = ""


@dataclass(frozen=True)
class Metric(Generic[RowT]):
    """A measure of how near estimated stems are to the true ones.

    Attributes:
        name: What it is called on the command line and in results.
        title: What it is called above its table.
        unit: Unit of its figures.
        row: Type of its rows.
        score: Scores one song.
        aggregate: Puts the rows of one method together, given the names of the stems.
        columns: How the overall figures are shown, by their names, in this order.
        file_name: Its table's; ``<name>.csv`` if empty.
        package: What it needs beside msdm.
    """

    name: str
    title: str
    unit: str
    row: type[RowT]
    score: Callable[[SeparatedSong], list[RowT]]
    aggregate: Callable[[Sequence[RowT], Sequence[str]], Figures]
    columns: Mapping[str, Column] = field(default_factory=dict)
    file_name: str = ""
    package: Package | None = None

    @property
    def table_name(self) -> str:
        """Name of the file with its scores."""
        return self.file_name or f"{self.name}.csv"

    def check(self) -> None:
        """Make sure that it can be computed, before there is anything to compute.

        Raises:
            MissingPackage: What it needs is not installed, or does not work.
        """
        if self.package is None:
            return
        try:
            importlib.import_module(self.package.module)
        # Packages also look for programs when they are imported, and raise RuntimeError.
        except (ImportError, RuntimeError) as error:
            raise MissingPackage(
                f"{self.title} needs {self.package.module} ({error})", self.package.installation
            ) from error
        try:
            self.package.load()
        except UNFETCHED as error:
            reason = " ".join(str(error).split())[:200]
            raise MissingPackage(
                f"{self.title} needs weights that {self.package.module} fetches ({reason})",
                self.package.weights,
            ) from error

    def summarise(self, rows: Sequence[RowT], names: Sequence[str]) -> list[Summary]:
        """The figures of each method, in the order in which methods appear.

        Args:
            rows: Scores of any number of songs and methods.
            names: Names of the stems.
        """
        methods: dict[str, list[RowT]] = {}
        for row in rows:
            methods.setdefault(row.method, []).append(row)
        summaries = []
        for method, own in methods.items():
            figures = self.aggregate(own, names)
            songs = len({row.song for row in own})
            summaries.append(Summary(method, songs, figures.stems, figures.overall))
        return summaries
