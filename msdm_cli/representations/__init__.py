"""The representations that networks work in, by name.

To add one, write a module with its class, and add a row here.
"""

from msdm_cli.representations.representation import Representation
from msdm_cli.representations.waveform import Waveform

__all__ = ["REPRESENTATIONS", "Representation"]

# The codes of a sketch are found from the sound around a chunk, in msdm_cli.tasks.cascade. An
# envelope has become a sound before a sampler sees it, in msdm_cli.tasks.sound.
REPRESENTATIONS: dict[str, Representation] = {
    "waveform": Waveform(),
    "sketch": Waveform(),
    "envelope": Waveform(),
}
