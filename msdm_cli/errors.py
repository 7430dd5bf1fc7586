"""The errors a person can meet. Each one says what happened and what to do about it.

    MsdmError
    |- AudioError
    |  |- UnreadableAudio     the input cannot be opened or decoded
    |  |- UnwritableAudio     the output cannot be written
    |  |- UnsuitableAudio     decoded, but not something to work on (NaN, no samples, lengths that differ)
    |  `- UnreadableManifest  what lies beside results is not a description of them
    |- WeightsError
    |  |- UnknownWeights      no such name in the registry
    |  |- MissingWeights      known, but its files are not on this machine
    |  |- ChecksumMismatch    a file is not the one that the registry describes
    |  |- UnreadableWeights   an archive is damaged, or not one
    |  |- UnwritableWeights   a model cannot be kept: the cache or the disk refuses it
    |  |- DownloadFailed      an archive could not be fetched
    |  `- UnsafeArchive       an archive holds what no archive of weights should
    |- ModelError
    |  |- IncompatibleCheckpoint   weights and spec do not fit each other
    |  `- BackendUnavailable       the asked device cannot run here
    |     `- DeviceFull            its memory does not hold what it was given
    `- SamplingError
       `- NonFiniteSamples    a network returned NaN or infinity

The command line prints them as two lines (message, hint) and exits with 1. A caller's mistake is a ValueError or a
TypeError instead, with "expected ..., got ...".
"""


class MsdmError(Exception):
    """What happened (``message``) and what to do about it (``hint``)."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class AudioError(MsdmError):
    """Something about a sound file."""


class UnreadableAudio(AudioError):
    """The input cannot be opened or decoded."""


class UnwritableAudio(AudioError):
    """The output cannot be written."""


class UnsuitableAudio(AudioError):
    """The input was decoded, but is not something to work on."""


class UnreadableManifest(AudioError):
    """What lies beside results is not a description of them."""


class WeightsError(MsdmError):
    """Something about the files of a model."""


class UnknownWeights(WeightsError):
    """No model of that name is registered."""


class MissingWeights(WeightsError):
    """The model is registered, but its files are not on this machine."""


class ChecksumMismatch(WeightsError):
    """A file is not the one that the registry describes."""


class UnreadableWeights(WeightsError):
    """An archive is damaged, or not one."""


class UnwritableWeights(WeightsError):
    """A model cannot be kept: the cache or the disk refuses it."""


class DownloadFailed(WeightsError):
    """An archive could not be fetched."""


class UnsafeArchive(WeightsError):
    """An archive holds what no archive of weights should."""


class ModelError(MsdmError):
    """Something about a network."""


class IncompatibleCheckpoint(ModelError):
    """Weights and spec do not fit each other."""


class BackendUnavailable(ModelError):
    """The asked device or backend cannot run on this machine."""


class DeviceFull(BackendUnavailable):
    """The memory of the device does not hold what the network was given."""


class SamplingError(MsdmError):
    """Something about a running sampler."""


class NonFiniteSamples(SamplingError):
    """A network returned NaN or infinity."""
