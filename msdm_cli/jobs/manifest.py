"""What lies beside the results: how they were made, and how to tell whether they are still what was made."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from msdm_cli.errors import UnreadableManifest, UnwritableAudio
from msdm_cli.jobs.request import Job, find_difference

MANIFEST = "msdm"
SUFFIX = "json"
FORMAT = 2


@dataclass(frozen=True)
class FileRecord:
    """A file that was written.

    Attributes:
        path: Relative to the manifest's folder.
        sha256: Digest in hexadecimal.
        size_bytes: Size.
    """

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Manifest:
    """What was made.

    Attributes:
        job: What decided the samples, as ``Job.describe`` has it.
        inputs: Where each input was, by its role.
        files: What was written, by name.
        facts: What was found on the way: properties of the song, gain, null depth, calls, seconds.
        format: Version of this description.
    """

    job: Mapping[str, Any]
    inputs: Mapping[str, str]
    files: Mapping[str, FileRecord]
    facts: Mapping[str, Any]
    format: int = FORMAT

    @property
    def seed(self) -> int:
        """Seed of the noise."""
        return int(self.job["seed"])

    def save(self, path: Path) -> None:
        """Write it, never half.

        Raises:
            UnwritableAudio: The folder cannot be written.
        """
        temporary = path.with_name(f".{path.name}.part")
        try:
            temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
            temporary.replace(path)
        except OSError as error:
            raise UnwritableAudio(
                f"{path}: cannot be written ({error})", "Make room on the disk."
            ) from error


def load_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        UnreadableManifest: There is none, or it is not one of this version.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise ValueError(f"format {told['format']}, expected {FORMAT}")
        files = {name: FileRecord(**record) for name, record in told["files"].items()}
        _check_types(told, files)
        return Manifest(told["job"], told["inputs"], files, told["facts"])
    except OSError as error:
        raise UnreadableManifest(
            f"{path}: {(error.strerror or str(error)).lower()}", "Check the name."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableManifest(
            f"{path}: not a manifest of this msdm ({error})", "Make the stems again."
        ) from error


def _check_types(told: Mapping[str, Any], files: Mapping[str, FileRecord]) -> None:
    """Refuse what only looks like a manifest, before it is worked with."""
    job, facts = told["job"], told["facts"]
    kinds: list[tuple[Any, type | tuple[type, ...]]] = [
        *((job[key], str) for key in ("task", "model", "weights_sha256")),
        *((job[key], dict) for key in ("runtime", "options", "inputs", "versions")),
        (job["seed"], int),
        *((value, str) for value in (*told["inputs"].values(), *job["inputs"].values())),
        *((facts[key], int) for key in ("sample_rate", "channels", "frames", "clipped")),
        *((facts[key], str) for key in ("subtype", "subtype_written")),
        *((facts[key], (int, float)) for key in ("gain", "gain_db")),
        (facts["exact"], bool),
        (facts["null_db"], (int, float, type(None))),
        *(
            (value, kind)
            for file in files.values()
            for value, kind in ((file.path, str), (file.size_bytes, int))
        ),
    ]
    for value, kind in kinds:
        if not isinstance(value, kind):
            raise TypeError(f"{value!r} is out of place")
    if set(job["inputs"]) != set(told["inputs"]):
        raise ValueError("inputs without a path")


def find_done(path: Path, job: Job, *, any_seed: bool) -> Manifest | None:
    """The manifest of results that this very job has made, if they are all there.

    Args:
        path: Where the manifest would be.
        job: The job.
        any_seed: Whether another seed would do.
    """
    if not path.exists():
        return None
    try:
        manifest = load_manifest(path)
    except UnreadableManifest:
        return None
    described = job.describe() | ({"seed": manifest.job.get("seed")} if any_seed else {})
    whole = all(
        _has_size(path.parent / record.path, record.size_bytes)
        for record in manifest.files.values()
    )
    return manifest if whole and find_difference(manifest.job, described) is None else None


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except OSError:
        return False
