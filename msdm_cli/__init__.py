"""msdm: separate a song into stems, impute missing stems, generate music, with one diffusion prior.

    from msdm_cli import load_model

    stems = load_model().separate("song.wav")

Names are imported when they are first used: the command line answers ``--help`` without PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msdm_cli.errors import (
        AudioError,
        ClusterError,
        InputError,
        ModelError,
        MsdmError,
        ResultsError,
        SamplingError,
        WeightsError,
    )
    from msdm_cli.interface import Model, load_model
    from msdm_cli.progress import Progress
    from msdm_cli.tasks.controls import Controls
    from msdm_cli.tasks.stream import StemBlock

__version__ = "0.1.0"

__all__ = [
    "AudioError",
    "ClusterError",
    "Controls",
    "InputError",
    "Model",
    "ModelError",
    "MsdmError",
    "Progress",
    "ResultsError",
    "SamplingError",
    "StemBlock",
    "WeightsError",
    "__version__",
    "load_model",
]

_HOMES = {
    "Controls": "msdm_cli.tasks.controls",
    "Model": "msdm_cli.interface",
    "load_model": "msdm_cli.interface",
    "Progress": "msdm_cli.progress",
    "StemBlock": "msdm_cli.tasks.stream",
}


if not TYPE_CHECKING:  # A type checker that saw it would take any name for one of ours.

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'msdm_cli' has no attribute {name!r}")
        return getattr(importlib.import_module(_HOMES.get(name, "msdm_cli.errors")), name)


def __dir__() -> list[str]:
    return __all__
