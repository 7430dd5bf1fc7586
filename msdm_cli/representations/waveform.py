"""The samples themselves."""

from msdm_cli.representations.representation import Samples


class Waveform:
    """The identity, without a loss."""

    def encode(self, x: Samples) -> Samples:
        """The samples as they are, ``[..., T] -> [..., T]``."""
        return x

    def decode(self, z: Samples) -> Samples:
        """The samples as they are, ``[..., T] -> [..., T]``."""
        return z
