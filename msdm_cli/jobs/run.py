"""What the three tasks share around their streams: the job, whether it is done, and what comes of it."""

import dataclasses
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msdm_cli.audio.files import AudioProperties
from msdm_cli.jobs.journal import Journal, discard_journal, load_job
from msdm_cli.jobs.manifest import FileRecord, Manifest, find_done
from msdm_cli.jobs.outputs import OutputFiles, SoundShape, check_vacant, fit_gain
from msdm_cli.jobs.request import Job, check_unchanged, describe_job, find_difference
from msdm_cli.models.load import Model


@dataclass(frozen=True)
class Done:
    """What was done.

    Attributes:
        files: What lies there, by name.
        manifest: Its description.
        properties: Of the song.
        seed: Seed of the noise.
        calls: Network calls of this run.
        gain: Factor on all files, so that none clips; on the mixture alone where stems were given.
        gain_db: The same in dB.
        exact: Whether the stems sum to the song, to the last bit.
        null_db: Level of what they leave of it, relative to it; None if nothing, or if it was not measured.
        clipped: Samples that were clipped.
        skipped: It was there already.
    """

    files: dict[str, Path]
    manifest: Path
    properties: AudioProperties
    seed: int
    calls: int
    gain: float = 1.0
    gain_db: float = 0.0
    exact: bool = False
    null_db: float | None = None
    clipped: int = 0
    skipped: bool = False


@dataclass(frozen=True)
class Attempt:
    """What came of writing all files once.

    Attributes:
        peak: Largest absolute value before the gain.
        calls: Network calls.
        exact: As in ``Done``.
        null_db: As in ``Done``.
        clipped: As in ``Done``, without those that the files count.
        facts: More for the manifest.
    """

    peak: float
    calls: int
    exact: bool = False
    null_db: float | None = None
    clipped: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


Write = Callable[[OutputFiles, Journal, int, float], Attempt]
"""Writes all files: to them, out of the journal where it can, with a seed and a gain."""


@dataclass(frozen=True)
class Work:
    """Something to do.

    Attributes:
        task: separate, impute or generate.
        options: Its options, a dataclass with ``seed`` and ``output``.
        inputs: Files by role.
        paths: Where each result goes, by name.
        manifest: Where its description goes.
        properties: Of the song.
        shape: What the files that are written have in common.
        copies: By name, files that are copied as they are.
    """

    task: str
    options: Any
    inputs: Mapping[str, Path]
    paths: dict[str, Path]
    manifest: Path
    properties: AudioProperties
    shape: SoundShape
    copies: Mapping[str, Path] = field(default_factory=dict)


def do_work(work: Work, model: Model, write: Write) -> Done:
    """Do work, go on with it, or find that it is done.

    Args:
        work: What to do.
        model: The model.
        write: Does it.

    Raises:
        AudioError: An input cannot be read or has changed, or the results cannot be written; none is left behind.
    """
    job, done = _settle(work, model)
    if done:
        return done
    began, calls, gain = time.monotonic(), 0, 1.0
    with Journal(journal_folder(work.manifest), job) as journal:
        overwrite = work.options.output.overwrite or journal.resumed
        check_vacant(
            [*work.paths.values(), work.manifest], list(work.inputs.values()), overwrite=overwrite
        )
        journal.begin()
        while (
            True
        ):  # once more with a gain, if something would clip; the network is not asked again
            with OutputFiles(work.paths, work.shape, work.copies) as files:
                attempt = write(files, journal, job.seed, gain)
                calls += attempt.calls
                check_unchanged(work.inputs, job)
                needed = fit_gain(attempt.peak, work.shape.subtype)
                if needed == 1 or gain < 1:
                    records = files.finish(work.manifest.parent)
                    work.manifest.unlink(
                        missing_ok=True
                    )  # it would describe a mixture of old and new
                    files.commit()
                    break
                gain = needed
        done = Done(
            files=work.paths,
            manifest=work.manifest,
            properties=work.properties,
            seed=job.seed,
            calls=calls,
            gain=gain,
            gain_db=20 * math.log10(gain),
            exact=attempt.exact,
            null_db=attempt.null_db,
            clipped=files.clipped + attempt.clipped,
        )
        facts = {"seconds": round(time.monotonic() - began, 3), **attempt.facts}
        _describe(done, job, work, records, facts).save(work.manifest)
        journal.end()
    return done


def journal_folder(manifest: Path) -> Path:
    """Where the journal of unfinished work lies: beside the results."""
    return manifest.with_name(f".{manifest.stem}.part")


def _settle(work: Work, model: Model) -> tuple[Job, Done | None]:
    """The job of a command, and its results if they are there.

    Without a seed, that of results or of a journal of the same job is taken, so that the same command goes on.
    """
    job = describe_job(work.task, model, work.options.seed, work.options, work.inputs)
    any_seed, folder = work.options.seed is None, journal_folder(work.manifest)
    if not work.options.output.overwrite and (
        found := find_done(work.manifest, job, any_seed=any_seed)
    ):
        job = dataclasses.replace(job, seed=found.seed)
        discard_journal(folder, job)  # of a run that was killed at its very end
        return job, _recall(work.manifest, found)
    begun = load_job(folder) if any_seed else None
    if begun and find_difference(begun, job.describe() | {"seed": begun.get("seed")}) is None:
        job = dataclasses.replace(job, seed=begun["seed"])
    return job, None


def _describe(
    done: Done, job: Job, work: Work, records: Mapping[str, FileRecord], facts: Mapping[str, Any]
) -> Manifest:
    told = {
        **dataclasses.asdict(done.properties),
        "subtype_written": work.shape.subtype,
        "calls": done.calls,
        "gain": done.gain,
        "gain_db": done.gain_db,
        "exact": done.exact,
        "null_db": done.null_db,
        "clipped": done.clipped,
        **facts,
    }
    inputs = {role: os.path.abspath(path) for role, path in work.inputs.items()}  # noqa: PTH100  links stay links
    return Manifest(job.describe(), inputs, records, told)


def _recall(path: Path, manifest: Manifest) -> Done:
    facts = manifest.facts
    return Done(
        files={name: path.parent / record.path for name, record in manifest.files.items()},
        manifest=path,
        properties=AudioProperties(
            facts["sample_rate"], facts["channels"], facts["frames"], facts["subtype"]
        ),
        seed=manifest.seed,
        calls=0,
        gain=facts["gain"],
        gain_db=facts["gain_db"],
        exact=facts["exact"],
        null_db=facts["null_db"],
        clipped=facts["clipped"],
        skipped=True,
    )
