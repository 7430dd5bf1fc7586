"""Options that say which model runs, and on what."""

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.backends.runtime import AUTO, BACKENDS, MOST_THREADS, PRECISIONS, Runtime
from msdm_cli.cli.option_checks import (
    DEVICES,
    check_devices,
    choose_from,
    complete,
    list_models,
    list_providers,
)
from msdm_cli.cli.options import show_choices

if TYPE_CHECKING:
    from msdm_cli.diffusion.samplers import Preset

MODEL = "Model and device"
"""Group of these options in the help."""

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME",
        autocompletion=complete(list_models),
        rich_help_panel=MODEL,
        help="A model that msdm weights list shows.",
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="NAME",
        callback=check_devices,
        autocompletion=complete(lambda: (AUTO, *DEVICES)),
        rich_help_panel=MODEL,
        help="auto, cpu, cuda, cuda:1 or mps. Several share the work: cuda:0,cuda:1.",
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar=show_choices((AUTO, *BACKENDS)),
        callback=choose_from(lambda: (AUTO, *BACKENDS)),
        autocompletion=complete(lambda: (AUTO, *BACKENDS)),
        rich_help_panel=MODEL,
        help="What runs the network: PyTorch or ONNX Runtime.",
    ),
]
ProviderOption = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        callback=choose_from(list_providers),
        autocompletion=complete(list_providers),
        rich_help_panel=MODEL,
        help="Run in ONNX Runtime on this provider: cpu, cuda, tensorrt, coreml or dml.",
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar=show_choices((AUTO, *PRECISIONS)),
        callback=choose_from(lambda: (AUTO, *PRECISIONS)),
        autocompletion=complete(lambda: (AUTO, *PRECISIONS)),
        rich_help_panel=MODEL,
        help="Precision of the network. auto is bf16 where the device is fast at it, else "
        "fp32, and fp32 for the samplers of the paper.",
    ),
]
ThreadsOption = Annotated[
    int,
    typer.Option(
        "--threads",
        min=0,
        max=MOST_THREADS,
        metavar="N",
        rich_help_panel=MODEL,
        help="Threads of a CPU. Their number decides the last bits of results. 0 takes what the "
        "backend takes by itself.",
    ),
]


def choose_runtime(
    device: str,
    backend: str,
    provider: str | None,
    precision: str,
    threads: int = 0,
    preset: "Preset | None" = None,
) -> Runtime:
    """What runs the network, from the options that say so.

    Args:
        device: Device.
        backend: Backend.
        provider: Device of ONNX Runtime, in place of device and backend.
        precision: Precision; auto is single precision for the samplers of the paper.
        threads: Threads of a CPU.
        preset: The sampler that will be used.
    """
    runtime = _choose(device, backend, provider, precision)
    runtime = dataclasses.replace(runtime, threads=threads)
    if preset is None:
        return runtime
    from msdm_cli.models.load import keep_exact

    return keep_exact(runtime, preset)


def _choose(device: str, backend: str, provider: str | None, precision: str) -> Runtime:
    if provider is None:
        return Runtime(backend, device, precision)
    if backend == "torch" or device != AUTO:
        raise typer.BadParameter(
            "a provider is a device of ONNX Runtime: leave out --backend and --device",
            param_hint="--provider",
        )
    return Runtime("onnx", provider, precision)
