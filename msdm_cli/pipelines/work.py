"""What the three tasks share around their streams: the job, whether it is done, and what comes of it."""

import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msdm_cli.audio.files import AudioProperties
from msdm_cli.models.load import Model
from msdm_cli.pipelines.job import Job, describe_job, find_difference
from msdm_cli.pipelines.journal import load_job
from msdm_cli.pipelines.manifest import FileRecord, Manifest, find_done


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes:
        files: What lies there, by name.
        manifest: Its description.
        properties: Of the song.
        seed: Seed of the noise.
        calls: Network calls of this run.
        gain_db: Gain of all files, so that none clips; of the mixture alone where stems were given.
        null_db: Level of what the stems leave of the song, relative to it; None where they leave nothing.
        clipped: Samples that were clipped.
        skipped: It was there already.
    """

    files: dict[str, Path]
    manifest: Path
    properties: AudioProperties
    seed: int
    calls: int
    gain_db: float = 0.0
    null_db: float | None = None
    clipped: int = 0
    skipped: bool = False

    def save(self, job: Job, inputs: Mapping[str, Path], records: Mapping[str, FileRecord], **facts: Any) -> None:
        """Write the manifest."""
        told = {**dataclasses.asdict(self.properties), "calls": self.calls, "gain_db": self.gain_db}
        told |= {"null_db": self.null_db, "clipped": self.clipped, **facts}
        paths = {role: str(path) for role, path in inputs.items()}
        Manifest(job.describe(), paths, records, told).save(self.manifest)


def settle_job(
    task: str, model: Model, options: Any, inputs: Mapping[str, Path], manifest: Path
) -> tuple[Job, Done | None]:
    """The job of a command, and its results if they are there.

    Without a seed, that of results or of a journal of the same job is taken, so that the same command goes on.

    Args:
        task: Its name.
        model: The model.
        options: Its options, a dataclass with ``seed`` and ``output``.
        inputs: Files by role.
        manifest: Where the manifest is, or will be.
    """
    job = describe_job(task, model, options.seed, options, inputs)
    any_seed = options.seed is None
    if not options.output.overwrite and (found := find_done(manifest, job, any_seed=any_seed)):
        shutil.rmtree(journal_folder(manifest), ignore_errors=True)  # of a run that was killed at its very end
        return job, _recall(manifest, found)
    begun = load_job(journal_folder(manifest)) if any_seed else None
    if begun and find_difference(begun, job.describe() | {"seed": begun.get("seed")}) is None:
        job = dataclasses.replace(job, seed=begun["seed"])
    return job, None


def journal_folder(manifest: Path) -> Path:
    """Where the journal of unfinished work lies: beside the results."""
    return manifest.with_name(f".{manifest.stem}.part")


def _recall(path: Path, manifest: Manifest) -> Done:
    facts = manifest.facts
    return Done(
        files={name: path.parent / record.path for name, record in manifest.files.items()},
        manifest=path,
        properties=AudioProperties(facts["sample_rate"], facts["channels"], facts["frames"], facts["subtype"]),
        seed=manifest.seed,
        calls=0,
        gain_db=facts["gain_db"],
        null_db=facts["null_db"],
        clipped=facts["clipped"],
        skipped=True,
    )
