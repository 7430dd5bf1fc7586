"""Evaluation of separated songs, one by one. A later run scores only what has no scores yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from msdm_cli.audio.stem_finish import MIXTURE
from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import MissingStems, ResultsExist, UnsuitableAudio
from msdm_cli.evaluation.layout import TOLERANCE_SECONDS, Layout
from msdm_cli.evaluation.metrics import METRICS
from msdm_cli.evaluation.metrics.metric import SeparatedSong, Summary
from msdm_cli.evaluation.oracles import ORACLES
from msdm_cli.evaluation.tables import ScoreTable
from msdm_cli.jobs.done import KnownModel
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult
from msdm_cli.jobs.run import run_job
from msdm_cli.models.load import LoadedModel, load
from msdm_cli.models.spec import PAPER_STEMS
from msdm_cli.progress import Progress
from msdm_cli.tasks.separate import SONG, SeparateOptions

PAPER_LAYOUT = Layout(PAPER_STEMS, sample_rate=22050)
"""Slakh, as the paper evaluates on it. Source: arXiv 2302.02257, section 5."""

OUTPUT = OutputOptions(subtype="FLOAT")
"""Estimates are floats: neither rounding nor clipping is an error of the model."""


@dataclass(frozen=True)
class Separator:
    """What separates songs that have no estimates yet.

    Attributes:
        model: The model; one that is not loaded can only say what is to be done.
        preset: Sampler settings.
        seed: Seed of the noise; None where the sampler uses no noise.
    """

    model: KnownModel
    preset: Preset
    seed: int | None


@dataclass(frozen=True)
class SeparateStems:
    """Work for an executor whose jobs leave this process: separates the sum of a song's stems.

    Attributes:
        layout: What the folder of the song holds.
    """

    layout: Layout

    def __call__(self, name: str, request: JobRequest) -> JobResult:
        """Run a job that ``Evaluation.prepare`` has made.

        Raises:
            MsdmError: As ``run_job``, or the model cannot be loaded.
        """
        del name
        mixture = self.layout.load_mixture(request.inputs[SONG].parent)
        model = _load_once(request.model, request.runtime)
        return run_job(request, model, None, {SONG: mixture})


@lru_cache(1)
def _load_once(name: str, runtime: Runtime) -> LoadedModel:
    """The model of the last song, if this one has the same."""
    return load(name, runtime)


class Evaluation:
    """Scores songs by some metrics, beside the ideal masks.

    Args:
        estimates: Folder that holds a folder of estimates for each song.
        tables: Folder of the tables of scores.
        metrics: Names of metrics.
        layout: What the folders of songs and estimates hold.
        method: What the estimates are called in the tables.
        separator: Separates the songs that have no estimates; if None, each song must have some.

    Raises:
        UnreadableTable: There is a table already, and it does not hold scores of these stems.
    """

    def __init__(
        self,
        estimates: Path,
        tables: Path,
        metrics: Sequence[str] = ("si-sdr",),
        layout: Layout = PAPER_LAYOUT,
        method: str = "estimates",
        separator: Separator | None = None,
    ) -> None:
        self.estimates = estimates
        self.layout = layout
        self.method = method
        self.separator = separator
        self._all_tables = {name: ScoreTable(metric, tables) for name, metric in METRICS.items()}
        self.tables: list[ScoreTable[Any]] = [self._all_tables[name] for name in metrics]
        for table in self.tables:
            table.check_stems(layout.stems)

    def score(self, song: Path, progress: Progress) -> None:
        """Score a song, separating it first if need be, and save the tables.

        Args:
            song: Folder of the true stems.
            progress: Hears of each network call.

        Raises:
            MissingStems: The song has no estimates, or not all.
            AudioError: A file cannot be read, or estimates differ in length from the true stems.
            ResultsError: Estimates of other settings are there, or results cannot be written.
        """
        if self.separator is not None:
            self._separate(song, self.separator, progress)
        methods = (self.method, *ORACLES)
        missing = {method: self._tables_without(song, method) for method in methods}
        if not any(missing.values()):
            return
        stems = self.layout.load_stems(song)
        for method, tables in missing.items():
            if tables:
                separated = self._estimate(song, method, stems)
                for table in tables:
                    table.rows += table.metric.score(separated)
        for table in self.tables:
            if any(table in tables for tables in missing.values()):
                table.save()

    def summarise(self, songs: Collection[str]) -> dict[str, list[Summary]]:
        """The figures of each metric over some songs, by the metric's name."""
        return {
            table.metric.name: table.metric.summarise(table.list_rows(songs), self.layout.stems)
            for table in self.tables
        }

    def list_unscored(self, song: Path) -> list[str]:
        """Titles of the metrics that have no score of a song's estimates."""
        return [table.metric.title for table in self._tables_without(song, self.method)]

    def _tables_without(self, song: Path, method: str) -> list[ScoreTable[Any]]:
        return [table for table in self.tables if not table.holds(song.name, method)]

    def _estimate(self, song: Path, method: str, stems: Samples) -> SeparatedSong:
        """Estimates beside the true stems, cut to their common length."""
        if method in ORACLES:
            estimate = ORACLES[method](stems)
        else:
            estimate = self._load_estimate(self.estimates / song.name, stems.shape[1])
        length = min(stems.shape[1], estimate.shape[1])
        return SeparatedSong(
            method=method,
            song=song.name,
            names=self.layout.stems,
            estimate=estimate[:, :length],
            stems=stems[:, :length],
            sample_rate=self.layout.sample_rate,
        )

    def _load_estimate(self, folder: Path, expected: int) -> Samples:
        """The estimates in a folder, whose length is about ``expected``."""
        found = self.layout.find_stems(folder)
        if missing := [stem for stem in self.layout.stems if stem not in found]:
            raise MissingStems(
                f"{folder}: has no stem {', '.join(missing)}", "Separate the song first."
            )
        estimate = self.layout.load_stems(folder)
        if abs(estimate.shape[1] - expected) > TOLERANCE_SECONDS * self.layout.sample_rate:
            raise UnsuitableAudio(
                f"{folder}: has {estimate.shape[1]} samples, the true stems have {expected}",
                "Give estimates of the whole song.",
            )
        return estimate

    def prepare(self, song: Path, separator: Separator) -> JobRequest | None:
        """The job that separates a song; None if something else than msdm did so before.

        Raises:
            ResultsExist: Something else has made some of the estimates.
            UnsuitableAudio: The song has other stems of the model.
        """
        request = JobRequest(
            task="separate",
            model=separator.model.spec.name,
            runtime=separator.model.runtime,
            options=SeparateOptions(separator.preset, separator.seed),
            inputs={SONG: song / MIXTURE},  # no such file: it says what was separated
            folder=self.estimates,
            track=song.name,
            output=OUTPUT,
        )
        self._check_stems(song, separator)
        folder = self.estimates / song.name
        found = self.layout.find_stems(folder)
        if found and not (request.manifest.exists() or request.journal.exists()):
            if len(found) < len(self.layout.stems):
                raise _unsuitable_estimates(folder)
            return None
        if not found:
            # Scores of estimates that were removed must not pass for scores of the new ones.
            for table in self._all_tables.values():
                table.forget(song.name, self.method)
        return request

    def _separate(self, song: Path, separator: Separator, progress: Progress) -> None:
        """Separate a song, unless the same settings, or something else than msdm, did so before."""
        request = self.prepare(song, separator)
        if request is None:
            return
        assert isinstance(separator.model, LoadedModel)
        try:
            run_job(request, separator.model, progress, {SONG: self.layout.load_mixture(song)})
        except ResultsExist as error:
            raise _unsuitable_estimates(self.estimates / song.name) from error

    def _check_stems(self, song: Path, separator: Separator) -> None:
        """Make sure that all of a song is scored, since a mixture is the sum of its stems.

        Raises:
            UnsuitableAudio: It has other stems of the model.
        """
        spec = separator.model.spec
        every = Layout(spec.stems, spec.sample_rate).find_stems(song)
        if left_out := [stem for stem in every if stem not in self.layout.stems]:
            raise UnsuitableAudio(
                f"{song}: has {', '.join(left_out)}, too", "Score all stems that the songs have."
            )


def _unsuitable_estimates(folder: Path) -> ResultsExist:
    return ResultsExist(
        f"{folder}: is incomplete, or was made with other settings or by another msdm",
        "Remove it, choose another folder for the estimates, or score it without separating.",
    )
