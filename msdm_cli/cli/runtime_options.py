"""Options that say which model runs, and on what."""

from typing import Annotated

import typer

from msdm_cli.backends.runtime import AUTO, BACKENDS, PRECISIONS, Runtime
from msdm_cli.cli.option_checks import (
    DEVICES,
    check_devices,
    choose_from,
    complete,
    list_models,
    list_providers,
)
from msdm_cli.cli.options import show_choices

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
        help="Precision of the network. auto is bf16 where the device is fast at it, else fp32.",
    ),
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
