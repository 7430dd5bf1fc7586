"""What a person asks for, as one object that travels as JSON.

The manifest beside results holds the request that made them, a journal that of unfinished work, and
a rerun or a dry run begins with one.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from msdm_cli.audio.file_source import FileSource
from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.paths import decode_path, encode_path
from msdm_cli.jobs.remote.addresses import to_address
from msdm_cli.tasks.table import TASKS, Task

MOST_SECONDS = 1e9
"""Thirty years: no sound is longer."""


@dataclass(frozen=True)
class JobRequest:
    """A job.

    Attributes:
        task: A name in ``msdm_cli.tasks.table``.
        model: Name of the model.
        runtime: What runs the model.
        options: What decides the samples, an instance of the task's options.
        inputs: Files by role: the song, or the given stems by name.
        folder: Receives the results.
        track: Name of the song among the results.
        output: How results are written.
        overwrite: Whether results that are there may be replaced.
        start_seconds: Where to begin in the inputs.
        duration_seconds: How much of the inputs to use; all if None.
    """

    task: str
    model: str
    runtime: Runtime
    options: Any
    inputs: Mapping[str, Path]
    folder: Path
    track: str = ""
    output: OutputOptions = field(default_factory=OutputOptions)
    overwrite: bool = False
    start_seconds: float = 0.0
    duration_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"expected a task of {', '.join(TASKS)}, got {self.task}")
        expected = TASKS[self.task].options
        if not isinstance(self.options, expected):
            raise TypeError(f"expected {expected.__name__}, got {type(self.options).__name__}")
        for name in ("start_seconds", "duration_seconds"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= MOST_SECONDS:
                raise ValueError(f"expected {name} of 0 to {MOST_SECONDS:g}, got {value}")

    @property
    def row(self) -> Task:
        """The task's row of the table."""
        return TASKS[self.task]

    @property
    def manifest(self) -> Path:
        """Where the description of the results goes.

        Raises:
            UnwritableResults: The name of the song leads out of the folder.
        """
        return self.output.place_manifest(self.folder, self.track)

    @property
    def journal(self) -> Path:
        """The folder of the journal: beside the results."""
        return self.manifest.with_name(f".{self.manifest.stem}.part")

    def open_inputs(self) -> dict[str, FileSource]:
        """The inputs as sources.

        Raises:
            AudioError: One cannot be read, or holds no samples in the asked part.
        """
        part = (self.start_seconds, self.duration_seconds)
        return {role: FileSource(path, *part) for role, path in self.inputs.items()}

    def with_seed(self, seed: int | None) -> "JobRequest":
        """The same job with another seed."""
        return dataclasses.replace(self, options=dataclasses.replace(self.options, seed=seed))

    def __reduce__(self) -> "tuple[Callable[..., JobRequest], tuple[dict[str, Any]]]":
        """Pickle it as JSON."""
        return JobRequest.from_json, (self.to_json(),)

    def to_json(self) -> dict[str, Any]:
        """All of it, in terms of JSON."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["options"] = {
            **dataclasses.asdict(self.options),
            **{name: preset.to_json() for name, preset in _find_presets(self.options).items()},
        }
        inputs = {role: to_address(path) for role, path in self.inputs.items()}
        fields["inputs"] = {role: encode_path(path) for role, path in inputs.items()}
        fields["folder"] = encode_path(to_address(self.folder))
        fields["track"] = encode_path(self.track)
        described: dict[str, Any] = msgspec.to_builtins(fields)
        return msgspec.json.decode(msgspec.json.encode(described))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "JobRequest":
        """The request that ``to_json`` describes.

        Raises:
            ValueError: It describes none, or one of another version.
        """
        try:
            kind = TASKS[fields["task"]].options
            rest = msgspec.convert({**fields, "options": None}, _Fields)
            return cls(
                **{
                    **{field.name: getattr(rest, field.name) for field in dataclasses.fields(rest)},
                    "inputs": {role: Path(decode_path(path)) for role, path in rest.inputs.items()},
                    "folder": Path(decode_path(rest.folder)),
                    "track": decode_path(rest.track),
                    "options": _convert_options(fields["options"], kind),
                }
            )
        except (LookupError, TypeError, AttributeError, msgspec.ValidationError) as error:
            raise ValueError(f"expected the fields of a job ({error})") from error


@dataclass(frozen=True)
class _Fields:
    """The fields of a request as JSON has them."""

    task: str
    model: str
    runtime: Runtime
    options: None
    inputs: dict[str, str]
    folder: str
    track: str
    output: OutputOptions
    overwrite: bool
    start_seconds: float
    duration_seconds: float | None


PRESETS = ("preset", "sketch")
"""Options of tasks that are presets; a task may have fewer."""


def _find_presets(options: Any) -> dict[str, Preset]:
    """The presets among the options of a task."""
    found = {name: getattr(options, name, None) for name in PRESETS}
    return {name: preset for name, preset in found.items() if preset is not None}


def _convert_options(fields: Mapping[str, Any], kind: type[Any]) -> Any:
    """Options of a task: all fields but presets are plain, and their types are checked."""
    others = [field for field in dataclasses.fields(kind) if field.name not in PRESETS]
    presets = {
        name: Preset.from_json(fields[name]) for name in PRESETS if fields.get(name) is not None
    }
    plain_fields = {name: value for name, value in fields.items() if name not in PRESETS}
    if unknown := plain_fields.keys() - {field.name for field in others}:
        raise ValueError(f"expected no option {', '.join(sorted(unknown))}")
    plain = dataclasses.make_dataclass(
        kind.__name__, [(field.name, field.type, field) for field in others], frozen=True
    )
    converted: Any = msgspec.convert(plain_fields, plain)
    return kind(**presets, **{field.name: getattr(converted, field.name) for field in others})
