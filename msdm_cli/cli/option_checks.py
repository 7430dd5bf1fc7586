"""What the values of options must be. A value that is wrong is wrong usage."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from msdm_cli.backends.runtime import AUTO, MOST_DEVICES
from msdm_cli.errors import InputError
from msdm_cli.jobs.remote.addresses import is_address, to_address

if TYPE_CHECKING:
    from msdm_cli.jobs.output import OutputOptions

LARGEST_SEED = (1 << 63) - 1
"""Numbers of 64 bits are what readers of JSON agree on."""

STANDARD = "-"
"""Names the standard input, or the standard output."""

DEVICES = ("cpu", "cuda", "mps", "tensorrt", "coreml", "dml")
"""Devices of PyTorch and of ONNX Runtime; several of a kind are cuda:0, cuda:1."""


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


def check_here(value: Any) -> Any:
    """Refuse an address, where a path of this machine is needed.

    Args:
        value: A path, some, or None.

    Raises:
        InputError: It is an address.
    """
    for path in value if isinstance(value, list | tuple) else [value]:
        if path is not None and is_address(path) and not Path(path).exists():
            raise InputError(
                f"{to_address(path)}: is an address", "Name a file or folder of this machine."
            )
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


def choose_output(
    file_format: str, subtype: str | None, rate: int | None, name: str | None = None
) -> "OutputOptions":
    """How results are written.

    Raises:
        BadParameter: The format has no such rate.
    """
    from msdm_cli.jobs.output import NAME, OutputOptions

    try:
        return OutputOptions(file_format, subtype, name or NAME, rate)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--rate") from error


def check_devices(value: str | None) -> str | None:
    """Refuse a device that no machine has. Whether this one has it is found out later."""
    names = [] if value is None else value.split(",")
    if len(names) > MOST_DEVICES:
        raise typer.BadParameter(f"{len(names)} devices are more than {MOST_DEVICES}")
    for name in names:
        kind, colon, index = name.partition(":")
        if name != AUTO and (kind not in DEVICES or (colon and not index.isdecimal())):
            known = ", ".join((AUTO, *DEVICES))
            raise typer.BadParameter(f"{name} is none of {known}, or cuda:1 and the like")
    return value


def split_names(values: Sequence[str] | None) -> list[str] | None:
    """Names that are separated by commas, or by repeating the option."""
    if not values:
        return None
    names = [name.strip() for value in values for name in value.split(",")]
    if not all(names):
        raise typer.BadParameter("a name is empty")
    return names


def choose_several(list_names: Callable[[], Sequence[str]]) -> Callable[[Any], Any]:
    """A callback like that of ``choose_from``, for names with commas between them, too."""
    choose = choose_from(list_names)
    return lambda values: choose(split_names(values))


def list_providers() -> list[str]:
    """Names of the execution providers of ONNX Runtime."""
    from msdm_cli.backends.onnx_backend import PROVIDERS

    return list(PROVIDERS)


def list_executors() -> list[str]:
    """Names of what can run several songs."""
    from msdm_cli.jobs.executors import EXECUTORS

    return list(EXECUTORS)


def list_metrics() -> list[str]:
    """Names of the metrics."""
    from msdm_cli.evaluation.metrics import METRICS

    return list(METRICS)


def complete(list_names: Callable[[], Sequence[str]]) -> Callable[[str], list[str]]:
    """What a shell offers for a value that has begun."""

    def find(incomplete: str) -> list[str]:
        return [name for name in list_names() if name.startswith(incomplete)]

    return find


def list_models() -> list[str]:
    """Names of the models on this machine."""
    from msdm_cli.models.registry import load_registry

    return list(load_registry())
