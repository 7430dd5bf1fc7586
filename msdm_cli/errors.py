"""The errors a person can meet. Each one says what failed and what would mend it.

    MsdmError
    |- AudioError
    |  |- UnreadableAudio       an input cannot be opened or decoded
    |  |- UnsuitableAudio       an input cannot be worked on: NaN, no samples, lengths that differ
    |  |  |- EmptyPart          the part that was asked for lies after the end
    |  |  `- NoLength           music of less than a sample was asked for
    |  `- UnwritableAudio       a sound file cannot be written, or not in that format
    |     |- MissingFormat      the libsndfile of this machine does not write the format
    |     |- MissingSubtype     the format does not have the subtype that was asked for
    |     `- UnsuitableFormat   the format does not hold such a sound: its rate, its channels
    |- InputError
    |  |- UnreadableList        a list of songs cannot be read
    |  |- NoSongs               a folder, a pattern or a list holds no song
    |  `- MissingStems          a folder of a song lacks the file of a stem
    |- ResultsError
    |  |- UnreadableManifest    what lies beside results does not describe them
    |  |- UnreadableTable       a table of scores is not one
    |  |- UnwritableResults     a folder, a journal, a table or a picture cannot be written
    |  |  |- SamePlace          two jobs would write the same files
    |  |  |- StrayName          a name leads out of the folder of the results
    |  |  `- UnwritableAddress  a storage elsewhere cannot be written
    |  |- ResultsExist          there is a file already where a result would go
    |  |- ReplacesInput         a result would replace a file that is read
    |  `- JobRunning            another process is writing the same results
    |- WeightsError
    |  |- UnknownModel          no model has that name
    |  |- MissingWeights        the model is known, but its files are not on this machine
    |  |  `- UnfetchedModel     it is in an archive that can be fetched
    |  |- ModelExists           the name of a new model is taken, or the model ships with msdm
    |  |- ChecksumMismatch      a file is not the one that the registry describes
    |  |- UnreadableArchive     an archive is damaged, or is not one
    |  |- UnsafeArchive         an archive holds what no archive of weights should
    |  |- DownloadFailed        an archive could not be fetched
    |  `- UnwritableWeights     the cache or the disk refuses a model
    |- ModelError
    |  |- UnreadableCheckpoint  a checkpoint is damaged, or is of another network
    |  |- UnreadableSpec        a spec is damaged, or of another version
    |  |- MismatchedWeights     weights and spec do not fit each other
    |  |- MissingPreset         the model has no such sampler settings
    |  |  `- MissingTask        it does not do the task at all
    |  |- InaccurateGraph       an exported graph does not give what PyTorch gives
    |  |- MissingPackage        an optional package is not installed, or does not work
    |  `- BackendUnavailable    the device or the backend cannot run here
    |     `- DeviceFull         its memory does not hold what it was given
    |- ClusterError             a cluster does not answer, does not fit, or loses its workers
    `- SamplingError
       `- NonFiniteSamples      a network returned NaN or infinity

The command line prints ``message`` and a hint as two lines and exits with 1, or with 2 for an
unknown model. The hint is ``remedy``, unless ``msdm_cli.cli.hints`` knows the option that helps. A
caller's mistake is a ValueError or a TypeError instead, with "expected ..., got ...".
"""


class MsdmError(Exception):
    """What failed (``message``) and what would mend it (``remedy``)."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> "tuple[type[MsdmError], tuple[str, str], dict[str, object]]":
        """Pickle it with both of its lines, and what else it says."""
        return type(self), (self.message, self.remedy), vars(self)


class AudioError(MsdmError):
    """Something about a sound file or an array of samples."""


class UnreadableAudio(AudioError):
    """An input cannot be opened or decoded."""


class UnsuitableAudio(AudioError):
    """An input was decoded, but cannot be worked on."""


class EmptyPart(UnsuitableAudio):
    """The part that was asked for lies after the end."""


class NoLength(UnsuitableAudio):
    """Music of less than a sample was asked for."""


class UnwritableAudio(AudioError):
    """A sound file cannot be written, or not in that format."""


class MissingFormat(UnwritableAudio):
    """The libsndfile of this machine does not write the format."""


class MissingSubtype(UnwritableAudio):
    """The format does not have the subtype that was asked for."""


class UnsuitableFormat(UnwritableAudio):
    """The format does not hold such a sound: its rate, its channels."""


class InputError(MsdmError):
    """Something about the choice of songs."""


class UnreadableList(InputError):
    """A list of songs cannot be read."""


class NoSongs(InputError):
    """A folder, a pattern or a list holds no song."""


class MissingStems(InputError):
    """A folder of a song lacks the file of a stem."""


class ResultsError(MsdmError):
    """Something about results, beside their sound."""


class UnreadableManifest(ResultsError):
    """What lies beside results does not describe them."""


class UnreadableTable(ResultsError):
    """A table of scores is not one."""


class UnwritableResults(ResultsError):
    """A folder, a journal, a table or a picture cannot be written."""


class SamePlace(UnwritableResults):
    """Two jobs would write the same files."""


class StrayName(UnwritableResults):
    """A name leads out of the folder of the results."""


class UnwritableAddress(UnwritableResults):
    """A storage elsewhere cannot be written."""


class ResultsExist(ResultsError):
    """There is a file already where a result would go."""


class ReplacesInput(ResultsError):
    """A result would replace a file that is read."""


class JobRunning(ResultsError):
    """Another process is writing the same results."""


class WeightsError(MsdmError):
    """Something about the files of a model."""


class UnknownModel(WeightsError):
    """No model has that name."""


class MissingWeights(WeightsError):
    """The model is known, but its files are not on this machine."""


class UnfetchedModel(MissingWeights):
    """The model is in an archive that can be fetched, whose name is ``archive``."""

    def __init__(self, message: str, remedy: str, archive: str = "") -> None:
        super().__init__(message, remedy)
        self.archive = archive


class ModelExists(WeightsError):
    """The name of a new model is taken, or the model ships with msdm."""


class ChecksumMismatch(WeightsError):
    """A file is not the one that the registry describes."""


class UnreadableArchive(WeightsError):
    """An archive is damaged, or is not one."""


class UnsafeArchive(WeightsError):
    """An archive holds what no archive of weights should."""


class DownloadFailed(WeightsError):
    """An archive could not be fetched."""


class UnwritableWeights(WeightsError):
    """The cache or the disk refuses a model."""


class ModelError(MsdmError):
    """Something about a network."""


class UnreadableCheckpoint(ModelError):
    """A checkpoint is damaged, or is of another network."""


class UnreadableSpec(ModelError):
    """A spec is damaged, or of another version."""


class MismatchedWeights(ModelError):
    """Weights and spec do not fit each other."""


class MissingPreset(ModelError):
    """The model has no such sampler settings."""


class MissingTask(MissingPreset):
    """The model does not do the task at all."""


class InaccurateGraph(ModelError):
    """An exported graph does not give what PyTorch gives."""


class MissingPackage(ModelError):
    """An optional package is not installed, or does not work."""


class BackendUnavailable(ModelError):
    """The device or the backend cannot run on this machine."""


class DeviceFull(BackendUnavailable):
    """The memory of the device does not hold what the network was given."""


class ClusterError(MsdmError):
    """A cluster does not answer, does not fit, or loses its workers."""


class SamplingError(MsdmError):
    """Something about a running sampler."""


class NonFiniteSamples(SamplingError):
    """A network returned NaN or infinity."""


FAILURES = (MsdmError, OSError, MemoryError)
"""What may end a job, and not those beside it."""
