"""What work would cost, told before it is done: one network call is measured, the rest is counted."""

import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from msdm_cli.audio.files import BYTES_PER_SAMPLE, SongReader
from msdm_cli.audio.resample import resampled_length
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.tasks.continuation import plan_continuation
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.impute import ImputeOptions, check_alike
from msdm_cli.tasks.sampling import calls_per_chunk
from msdm_cli.tasks.separate import CHANNELS_AT_ONCE, SeparateOptions, plan_chunks

JOURNAL_SAMPLE_BYTES = 4
COMPRESSED_BYTES = {"flac": 0.6, "ogg": 0.1}  # relative to 16 bits; what music usually takes


@dataclass(frozen=True)
class Estimate:
    """What work would cost.

    Attributes:
        audio_seconds: Length of what is worked on.
        calls: Network calls.
        seconds: Time that they take here; reading and writing come on top, a tenth as a rule.
        memory_bytes: Peak memory so far, after one call: of the process, or of the GPU; None where it is not known.
        output_bytes: What would be written.
        journal_bytes: What the journal takes beside it until all is done.
    """

    audio_seconds: float
    calls: int
    seconds: float
    memory_bytes: int | None
    output_bytes: int
    journal_bytes: int


def estimate_separation(model: Model, song: Path, options: SeparateOptions) -> Estimate:
    """The cost of ``separate_song``.

    Raises:
        AudioError: The song cannot be read.
    """
    with SongReader(song, options.start_seconds, options.duration_seconds) as reader:
        properties = reader.properties
    total = resampled_length(properties.frames, properties.sample_rate, model.spec.sample_rate)
    plan = plan_chunks(model, total, options.overlap)
    batches = -(-properties.channels // CHANNELS_AT_ONCE)
    chunks = plan.chunks()
    calls = len(chunks) * batches * calls_per_chunk(options.preset)
    files = len(options.stems or model.spec.stems) + options.residual
    subtype = options.output.resolve_subtype(properties.subtype)
    size = _output_bytes(
        files * properties.channels * properties.frames, options.output.file_format, subtype
    )
    kept = (
        properties.channels * sum(chunk.core_stop - chunk.core_start for chunk in chunks)
        if len(chunks) > 1
        else 0
    )
    batch = min(CHANNELS_AT_ONCE, properties.channels)
    estimate = _estimate(model, properties.seconds, calls, (batch, plan.length), size, kept)
    rounds = -(-len(chunks) // model.devices)
    return replace(estimate, seconds=estimate.seconds * rounds / len(chunks))


def estimate_imputation(
    model: Model, given: Mapping[str, Path], options: ImputeOptions
) -> Estimate:
    """The cost of ``impute_stems``.

    Raises:
        AudioError: A given stem cannot be read, or they do not go together.
    """
    with ExitStack() as stack:
        properties = check_alike([stack.enter_context(SongReader(path)) for path in given.values()])
    total = resampled_length(properties.frames, properties.sample_rate, model.spec.sample_rate)
    samples = (len(options.targets) + 1) * properties.channels * properties.frames
    subtype = options.output.resolve_subtype(properties.subtype)
    size = _output_bytes(samples, options.output.file_format, subtype)
    size += sum(path.stat().st_size for path in given.values())
    return _estimate_continuation(model, options.preset, properties.seconds, total, size)


def estimate_generation(model: Model, options: GenerateOptions) -> Estimate:
    """The cost of ``generate_song``."""
    total = max(1, round(options.seconds * model.spec.sample_rate))
    subtype = options.output.resolve_subtype("PCM_16")
    size = _output_bytes((len(model.spec.stems) + 1) * total, options.output.file_format, subtype)
    return _estimate_continuation(model, options.preset, options.seconds, total, size)


def _estimate_continuation(
    model: Model, preset: Preset, audio_seconds: float, total: int, size: int
) -> Estimate:
    windows = plan_continuation(model.spec, total)
    length = windows[0].stop - windows[0].start
    kept = total if len(windows) > 1 else 0
    return _estimate(
        model, audio_seconds, len(windows) * calls_per_chunk(preset), (1, length), size, kept
    )


def _estimate(
    model: Model,
    audio_seconds: float,
    calls: int,
    shape: tuple[int, int],
    output_bytes: int,
    kept: int,
) -> Estimate:
    """An estimate from the number of calls, their batch and length, and the samples of a stem that a journal keeps."""
    seconds = calls * measure_call(model, *shape)
    journal_bytes = kept * len(model.spec.stems) * JOURNAL_SAMPLE_BYTES
    return Estimate(audio_seconds, calls, seconds, _peak_memory(model), output_bytes, journal_bytes)


def measure_call(model: Model, batch: int, length: int) -> float:
    """Seconds of one network call on ``[batch, S, length]``."""
    x = np.zeros((batch, len(model.spec.stems), length), np.float32)
    sigma = np.full(x.shape[:2], model.spec.sigma_max, np.float32)
    mixture = np.zeros((batch, length), np.float32) if model.denoiser.takes_mixture else None
    model.denoiser(
        x[..., : model.spec.length_multiple * 4], sigma, None
    )  # what only a first call takes
    taken = []
    for _ in range(
        1 if model.runtime.device == "cpu" else 3
    ):  # a GPU loads and plans in the first one of a shape
        began = time.perf_counter()
        model.denoiser(x, sigma, mixture)
        taken.append(time.perf_counter() - began)
    return min(taken)


def _peak_memory(model: Model) -> int | None:
    device = model.runtime.device.partition(",")[0]
    if model.runtime.backend == "torch" and device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _output_bytes(samples: int, file_format: str, subtype: str) -> int:
    bytes_per_sample = BYTES_PER_SAMPLE.get(subtype, 2)
    return round(samples * bytes_per_sample * COMPRESSED_BYTES.get(file_format, 1))
