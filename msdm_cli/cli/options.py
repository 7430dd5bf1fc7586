"""Options that several commands share."""

import math
import secrets
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from msdm_cli.backends.runtime import Runtime


class Quality(str, Enum):
    """How much time a result is worth."""

    fast = "fast"
    default = "default"
    best = "best"


class FileFormat(str, Enum):
    """What results are written as."""

    wav = "wav"
    flac = "flac"
    ogg = "ogg"


class Subtype(str, Enum):
    """How a sample is stored."""

    PCM_16 = "PCM_16"
    PCM_24 = "PCM_24"
    PCM_32 = "PCM_32"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    VORBIS = "VORBIS"


class SeparationSampler(str, Enum):
    """How a mixture conditions the prior."""

    consistent = "consistent"
    dirac = "dirac"
    gaussian = "gaussian"


class PriorSampler(str, Enum):
    """How the prior is sampled where no mixture is given."""

    consistent = "consistent"
    published = "published"


class Backend(str, Enum):
    """What runs the network."""

    auto = "auto"
    torch = "torch"
    onnx = "onnx"


class Provider(str, Enum):
    """Execution providers of ONNX Runtime."""

    cpu = "cpu"
    cuda = "cuda"
    tensorrt = "tensorrt"
    coreml = "coreml"
    dml = "dml"


class Precision(str, Enum):
    """What the learned part is computed in."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


class ExportPrecision(str, Enum):
    """What a graph computes the learned part in."""

    fp32 = "fp32"
    fp16 = "fp16"


class Stem(str, Enum):
    """The stems of the models."""

    bass = "bass"
    drums = "drums"
    guitar = "guitar"
    piano = "piano"


def check_finite(value: float | None) -> float | None:
    """Refuse NaN and infinity, which a shell can say."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number")
    return value


def check_name(name: str) -> str:
    """Refuse a name that does not tell stems apart, or leads out of the folder."""
    from msdm_cli.jobs.outputs import OutputOptions

    try:
        OutputOptions(name=name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return name


QualityOption = Annotated[
    Quality,
    typer.Option(
        "--quality",
        help="Speed against quality; the embedded model separates by 1, 2 or 4 estimates.",
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        help="Sampler steps, instead of the quality's; the embedded model separates best with none.",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed", min=0, max=(1 << 63) - 1, help="Same seed, same samples; drawn if not given."
    ),
]
VariationsOption = Annotated[
    int, typer.Option("--variations", min=1, help="How many; seeds count up.")
]
ModelOption = Annotated[str, typer.Option("--model", help="A model of msdm weights list.")]
SeparationSamplerOption = Annotated[
    SeparationSampler,
    typer.Option(
        "--sampler", help="consistent is ours; the others are the paper's, for its authors' models."
    ),
]
PriorSamplerOption = Annotated[
    PriorSampler,
    typer.Option(
        "--sampler", help="consistent is ours; the others are the paper's, for its authors' models."
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        help="auto, cpu, cuda, cuda:1 or mps; or several that share work: cuda:0,cuda:1.",
    ),
]
BackendOption = Annotated[Backend, typer.Option("--backend", help="What runs the network.")]
ProviderOption = Annotated[
    Provider | None, typer.Option("--provider", help="Run in ONNX Runtime, on this provider.")
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        "--precision",
        help="What the network computes in; auto is bf16 where the device is fast at it.",
    ),
]
FormatOption = Annotated[FileFormat, typer.Option("--format", help="File format.")]
SubtypeOption = Annotated[
    Subtype | None, typer.Option("--subtype", help="Sample format; as in the input by default.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Tell what it would cost, and do nothing.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
NameOption = Annotated[
    str,
    typer.Option(
        "--name",
        help="Where in DIR a stem goes; with {track} and {stem}, ends in .{ext}.",
        callback=check_name,
    ),
]
FolderOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")
]


def name_preset(sampler: SeparationSampler | PriorSampler, quality: Quality) -> str:
    """The spec's name of the settings: that of the quality for our sampler, that of the sampler for the paper's."""
    if sampler.value != "consistent" and quality is not Quality.default:
        raise typer.BadParameter(
            f"the sampler {sampler.value} has one quality", param_hint="--quality"
        )
    return quality.value if sampler.value == "consistent" else sampler.value


def choose_runtime(
    device: str, backend: Backend, provider: Provider | None, precision: Precision
) -> "Runtime":
    """What the options say of what runs the network."""
    from msdm_cli.backends.runtime import Runtime

    if provider is None:
        return Runtime(backend.value, device, precision.value)
    if backend is Backend.torch or device != "auto":
        raise typer.BadParameter(
            "is for ONNX Runtime, instead of a device", param_hint="--provider"
        )
    return Runtime("onnx", provider.value, precision.value)


def draw_seed(seed: int | None) -> int:
    """The given seed, or one that is short enough to be typed again."""
    return secrets.randbelow(1 << 32) if seed is None else seed
