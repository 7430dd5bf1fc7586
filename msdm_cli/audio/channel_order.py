"""The order of channels in sound files: that of WAV everywhere in msdm, that of Vorbis in Ogg.

Source: Vorbis I specification, section 4.3.9 (Opus has the same order, RFC 7845, section 5.1.1.2);
WAVEFORMATEXTENSIBLE, dwChannelMask.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Samples = TypeVar("Samples", bound=NDArray[Any])

VORBIS_FROM_WAV = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 4, 5, 3),
    7: (0, 2, 1, 5, 6, 4, 3),
    8: (0, 2, 1, 6, 7, 4, 5, 3),
}
"""Number of the WAV channel that is each channel of Vorbis, by the number of channels."""

SNDFILE_NAMES = {
    "FL": 5,
    "FR": 6,
    "FC": 7,
    "BC": 8,
    "BL": 9,
    "BR": 10,
    "LFE": 11,
    "FLC": 12,
    "FRC": 13,
    "SL": 14,
    "SR": 15,
}
"""libsndfile's number of each channel, ``SF_CHANNEL_MAP_*`` of sndfile.h, by FFmpeg's name."""


def to_vorbis(samples: Samples) -> Samples:
    """Put channels in the order of WAV into that of Vorbis, ``[C, n] -> [C, n]``."""
    order = VORBIS_FROM_WAV.get(len(samples))
    return samples if order is None else samples[list(order)]  # type: ignore[return-value]


def from_vorbis(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put channels in the order of Vorbis into that of WAV, ``[C, n] -> [C, n]``."""
    order = VORBIS_FROM_WAV.get(len(samples))
    return samples if order is None else samples[np.argsort(order)]


def sndfile_map(names: tuple[str, ...]) -> list[int] | None:
    """The numbers that libsndfile gives to channels.

    Returns:
        None if a channel has no number, or if there are fewer than three: mono and stereo need
            none.
    """
    numbers = [SNDFILE_NAMES[name] for name in names if name in SNDFILE_NAMES]
    return numbers if len(numbers) == len(names) > 2 else None
