"""The representations that networks work in, by name.

To add one, write a module with its class, and add a row here.
"""

from msdm_cli.representations.representation import Representation
from msdm_cli.representations.waveform import Waveform

__all__ = ["REPRESENTATIONS", "Representation"]

REPRESENTATIONS: dict[str, Representation] = {"waveform": Waveform()}
