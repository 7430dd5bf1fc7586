"""What a job has made."""

from dataclasses import dataclass, field
from pathlib import Path

from msdm_cli.audio.source import AudioProperties
from msdm_cli.jobs.manifest import Manifest
from msdm_cli.tasks.hearing import Heard


@dataclass(frozen=True)
class JobResult:
    """What a job has made.

    Attributes:
        files: What lies there, by name.
        manifest: Its description.
        properties: Of the input; of the results where there is none.
        seed: Seed of the noise; None if the sampler uses none.
        calls: Network calls of this run.
        subtype_written: How samples are stored.
        gain: Factor on the files, so that none clips.
        gain_db: The same in dB.
        stay: Stems that the gain is not on: those that were given.
        mixture_only: Whether the gain is on the mixture alone, and its stems stay as they are.
        exact: Whether the stems sum to the song, to the last bit.
        null_db: Level of what they leave of it, relative to it; None if nothing, or not measured.
        clipped: Samples that were clipped.
        skipped: Whether the results were there already.
        heard: Tempo and key of the given stems, where they were not asked for.
        beside: What else was made, where the job ran, such as a page.
    """

    files: dict[str, Path]
    manifest: Path
    properties: AudioProperties
    seed: int | None
    calls: int
    subtype_written: str = ""
    gain: float = 1.0
    gain_db: float = 0.0
    stay: tuple[str, ...] = ()
    mixture_only: bool = False
    exact: bool = False
    null_db: float | None = None
    clipped: int = 0
    skipped: bool = False
    heard: Heard = field(default_factory=Heard)
    beside: tuple[Path, ...] = ()


def recall(path: Path, manifest: Manifest) -> JobResult:
    """The result that the manifest at ``path`` describes, made by an earlier run."""
    facts = manifest.facts
    return JobResult(
        files={name: record.locate(path.parent) for name, record in manifest.files.items()},
        manifest=path,
        properties=facts.properties,
        seed=manifest.seed,
        calls=0,
        subtype_written=facts.subtype_written,
        gain=facts.gain,
        gain_db=facts.gain_db,
        stay=facts.stay,
        mixture_only=facts.mixture_only,
        exact=facts.exact,
        null_db=facts.null_db,
        clipped=facts.clipped,
        skipped=True,
        heard=facts.heard,
    )
