"""Options that several commands share."""

import math
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from msdm_cli.audio.formats import SUBTYPES, writable_formats
from msdm_cli.backends.runtime import AUTO, BACKENDS, PRECISIONS, Runtime

LARGEST_SEED = (1 << 63) - 1
"""Numbers of 64 bits are what readers of JSON agree on."""


class Quality(str, Enum):
    """The presets that every task of a model should have."""

    fast = "fast"
    default = "default"
    best = "best"


def choose_from(list_names: Callable[[], Sequence[str]]) -> Callable[[Any], Any]:
    """A callback that refuses what a table does not have.

    Args:
        list_names: Lists what may be chosen. It is called when the option is used, and so may
            import what ``--help`` must not.
    """

    def check(value: Any) -> Any:
        values = value if isinstance(value, list) else [value]
        for name in values:
            if name is not None and name not in list_names():
                raise typer.BadParameter(f"{name} is none of {', '.join(list_names())}")
        return value

    return check


def check_finite(value: float | None) -> float | None:
    """Refuse NaN and infinity, which are floats to a shell."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number")
    return value


def check_seed(seed: int | None) -> int | None:
    """Refuse a seed that does not fit into the manifest's numbers."""
    if seed is not None and seed > LARGEST_SEED:
        raise typer.BadParameter(f"{seed} is larger than {LARGEST_SEED}")
    return seed


def check_name(name: str) -> str:
    """Refuse a name that is the same for all stems, or that leads out of the folder."""
    from msdm_cli.jobs.output import OutputOptions

    try:
        OutputOptions(name=name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return name


def list_providers() -> list[str]:
    """Names of the execution providers of ONNX Runtime."""
    from msdm_cli.backends.onnx_backend import PROVIDERS

    return list(PROVIDERS)


def _show_choices(names: Sequence[str]) -> str:
    return f"[{'|'.join(names)}]"


SeparationQualityOption = Annotated[
    Quality,
    typer.Option(
        "--quality",
        help="Speed against quality. The embedded model averages 1, 2 or 4 estimates.",
    ),
]
PriorQualityOption = Annotated[
    Quality,
    typer.Option(
        "--quality",
        help="Speed against quality. The embedded model takes 10, 25 or 60 network calls for a "
        "chunk of 12 s.",
    ),
]
SeparationStepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        metavar="N",
        help="Number of sampler steps, instead of that of the quality. The embedded model takes no "
        "steps by default, and separates best without.",
    ),
]
PriorStepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        metavar="N",
        help="Number of sampler steps, instead of that of the quality.",
    ),
]
SamplerOption = Annotated[
    str | None,
    typer.Option(
        "--sampler",
        metavar="NAME",
        help="A sampler of the paper with its settings, such as dirac, for the models of its "
        "authors.",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        metavar="N",
        callback=check_seed,
        help="Seed of the noise. The same seed gives the same samples. Drawn by default.",
    ),
]
VariationsOption = Annotated[
    int,
    typer.Option(
        "--variations",
        min=1,
        metavar="N",
        help="Number of takes. Their seeds count up.",
    ),
]
ModelOption = Annotated[
    str, typer.Option("--model", metavar="NAME", help="A model that msdm weights list shows.")
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="NAME",
        help="auto, cpu, cuda, cuda:1 or mps. Several share the work: cuda:0,cuda:1.",
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar=_show_choices((AUTO, *BACKENDS)),
        callback=choose_from(lambda: (AUTO, *BACKENDS)),
        help="What runs the network: PyTorch or ONNX Runtime.",
    ),
]
ProviderOption = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        callback=choose_from(list_providers),
        help="Run in ONNX Runtime on this provider: cpu, cuda, tensorrt, coreml or dml.",
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar=_show_choices((AUTO, *PRECISIONS)),
        callback=choose_from(lambda: (AUTO, *PRECISIONS)),
        help="Precision of the network. auto is bf16 where the device is fast at it, else fp32.",
    ),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar=_show_choices(writable_formats()),
        callback=choose_from(writable_formats),
        help="File format of the results.",
    ),
]
SubtypeOption = Annotated[
    str | None,
    typer.Option(
        "--subtype",
        metavar="NAME",
        callback=choose_from(lambda: list(SUBTYPES)),
        help=f"How samples are stored: {', '.join(SUBTYPES)}. As in the input by default.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Print what the work would cost, and do nothing."),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace files that exist already.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the summary as JSON, and progress as lines of JSON on stderr."
    ),
]
JsonSummaryOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
NameOption = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="PATH",
        callback=check_name,
        help="Path of a stem in DIR. It needs {stem}, may have {track}, and ends in .{ext}.",
    ),
]
FolderOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the results.")
]


def choose_runtime(device: str, backend: str, provider: str | None, precision: str) -> Runtime:
    """What runs the network, from the options that say so."""
    if provider is None:
        return Runtime(backend, device, precision)
    if backend == "torch" or device != AUTO:
        raise typer.BadParameter(
            "a provider is a device of ONNX Runtime: leave out --backend and --device",
            param_hint="--provider",
        )
    return Runtime("onnx", provider, precision)
