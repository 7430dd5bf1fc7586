"""What lies beside results: how they were made, and digests that prove them."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from msdm_cli.audio.formats import SUBTYPES, readable_suffixes
from msdm_cli.audio.mix import is_mix
from msdm_cli.audio.source import RATES_HZ, AudioProperties
from msdm_cli.backends.runtime import Runtime
from msdm_cli.digest import digest_file
from msdm_cli.errors import UnreadableManifest, UnwritableResults
from msdm_cli.jobs.identity import get_seed
from msdm_cli.jobs.output import MANIFEST, MANIFEST_SUFFIX, prefix_mixes
from msdm_cli.jobs.paths import decode_path, encode_path
from msdm_cli.jobs.request import JobRequest
from msdm_cli.small_files import read_small
from msdm_cli.tasks.hearing import Heard
from msdm_cli.temporary import write_whole

FORMAT = 3
MOST_FILES = 100
LONGEST_REASON = 300


@dataclass(frozen=True)
class FileRecord:
    """A file that was written.

    Attributes:
        path: Relative to the manifest's folder, as ``msdm_cli.jobs.paths`` encodes it.
        sha256: Digest in hexadecimal.
        size_bytes: Size.
    """

    path: str
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if "\0" in decode_path(self.path):
            raise ValueError("a name that no file has")

    def locate(self, folder: Path) -> Path:
        """Where the file lies, from the manifest's folder."""
        return folder / decode_path(self.path)


@dataclass(frozen=True)
class Facts:
    """What was found while results were made.

    Attributes:
        properties: Of the input; of the results where there is none.
        subtype_written: How samples are stored.
        calls: Network calls.
        gain: Factor on the files, so that none clips.
        gain_db: The same in dB.
        stay: Stems that the gain is not on: those that were given.
        mixture_only: Whether the gain is on the mixture alone, and its stems stay as they are.
        exact: Whether the stems sum to the song, to the last bit.
        null_db: Level of what they leave of the song, relative to it; None if nothing.
        clipped: Samples that were clipped.
        seconds: Time that it took.
        resumed: Whether calls and seconds are those of the last of several runs.
        heard: Tempo and key of the given stems, where they were not asked for.
        more: Facts of one task, such as the seams of separation.
    """

    properties: AudioProperties
    subtype_written: str
    calls: int
    gain: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    gain_db: float = 0.0
    stay: tuple[str, ...] = ()
    mixture_only: bool = False
    exact: bool = False
    null_db: float | None = None
    clipped: int = 0
    seconds: float = 0.0
    resumed: bool = False
    heard: Heard = dataclasses.field(default_factory=Heard)
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What was made.

    Attributes:
        request: The job, as ``JobRequest.to_json`` describes it, with the seed that was used.
        identity: What decided the samples, as ``msdm_cli.jobs.identity`` describes it.
        files: What was written, by name.
        facts: What was found on the way.
        format: Version of this description.
    """

    request: dict[str, Any]
    identity: dict[str, Any]
    files: Annotated[dict[str, FileRecord], msgspec.Meta(min_length=1, max_length=MOST_FILES)]
    facts: Facts
    format: int = FORMAT

    @property
    def seed(self) -> int | None:
        """Seed of the noise; None if the sampler uses none."""
        return get_seed(self.identity)

    @property
    def tempo(self) -> float | None:
        """Quarter notes a minute: what was asked for, else what was heard; None if neither is."""
        controls = getattr(self.parse_request().options, "controls", None)
        return getattr(controls, "tempo", None) or self.facts.heard.tempo

    def parse_request(self) -> JobRequest:
        """The job that made the results.

        Raises:
            UnreadableManifest: It is none of this version.
        """
        try:
            return JobRequest.from_json(self.request)
        except (ValueError, TypeError) as error:
            raise UnreadableManifest(
                f"the job in a manifest cannot be read ({error})",
                "Use the version of msdm that wrote it.",
            ) from error

    def list_mixes(self, path: Path) -> list[Path]:
        """What was mixed from the stems later, and so is in no manifest.

        Args:
            path: Where the manifest lies.
        """
        inputs = {os.path.realpath(path) for path in self.parse_request().inputs.values()}
        prefix, there = prefix_mixes(path), path.parent.iterdir()
        named = [file for file in there if is_mix(file.stem, self.files, prefix)]
        # A song that lies beside its stems may have such a name.
        return [file for file in named if os.path.realpath(file) not in inputs]

    def save(self, path: Path) -> None:
        """Write it, never half.

        Raises:
            UnwritableResults: The folder cannot be written.
        """
        text = msgspec.json.format(msgspec.json.encode(self), indent=2)
        try:
            write_whole(path, text + b"\n")
        except OSError as error:
            raise UnwritableResults(
                f"{path}: cannot be written ({error})", "Make room on the disk."
            ) from error


@dataclass(frozen=True)
class _Seeded:
    """The options of an identity, as far as they are looked at."""

    seed: int | None


@dataclass(frozen=True)
class _Identity:
    """What every identity has."""

    inputs: dict[str, str]
    weights_sha256: str
    runtime: Runtime
    versions: dict[str, str]
    options: _Seeded


def describe_files(
    files: Mapping[str, Path], paths: Mapping[str, Path], folder: Path
) -> dict[str, FileRecord]:
    """Records of files that are complete, but have no final names yet.

    Args:
        files: Where each file lies now, by name.
        paths: Where each will lie.
        folder: The manifest's folder.
    """
    return {
        name: FileRecord(
            path=encode_path(Path(os.path.relpath(paths[name], folder)).as_posix()),
            sha256=digest_file(file),
            size_bytes=file.stat().st_size,
        )
        for name, file in files.items()
    }


def load_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        UnreadableManifest: There is none, or it is not one of this version.
    """
    if path.suffix.lower() in readable_suffixes() and path.is_file():
        raise UnreadableManifest(
            f"{path}: is a sound, and describes no results",
            "Name the folder that it lies in, or the msdm.json beside it.",
        )
    try:
        content = read_small(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnreadableManifest(f"{path}: {reason}", "Check the name.") from error
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
        if manifest.format != FORMAT:
            raise ValueError(f"format {manifest.format}, expected {FORMAT}")
        manifest.parse_request()
        _check_identity(manifest)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(path, error) from error
    except UnreadableManifest as error:
        raise _unreadable(path, error.message) from error
    return manifest


def list_manifests(folder: Path) -> list[Path]:
    """The manifests in a folder: that of the usual name, or else all others."""
    usual = folder / f"{MANIFEST}.{MANIFEST_SUFFIX}"
    return [usual] if usual.exists() else sorted(folder.glob(f"*{MANIFEST}*.{MANIFEST_SUFFIX}"))


def _check_identity(manifest: Manifest) -> None:
    """Refuse facts of no sound, and an identity that lacks what is compared, or an input.

    An input that is in the identity alone was in memory.
    """
    if manifest.facts.subtype_written not in SUBTYPES:
        raise ValueError(f"the unknown subtype {manifest.facts.subtype_written}")
    sound = manifest.facts.properties
    low, high = RATES_HZ
    if not (low <= sound.sample_rate <= high and sound.channels > 0 and sound.frames > 0):
        raise ValueError("a sound that is none")
    identity = msgspec.convert(manifest.identity, _Identity)
    if missing := manifest.request["inputs"].keys() - identity.inputs.keys():
        raise ValueError(f"the identity lacks the inputs {', '.join(sorted(missing))}")


def _unreadable(path: Path, reason: object) -> UnreadableManifest:
    short = " ".join(str(reason).split())[:LONGEST_REASON]  # values of the file are in it
    return UnreadableManifest(
        f"{path}: not a manifest of this version of msdm ({short})", "Make the stems again."
    )
