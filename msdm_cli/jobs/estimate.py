"""What a job would cost, before it runs: one network call is measured, the rest is counted."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.formats import FORMATS, Subtype
from msdm_cli.audio.kept_source import count_kept_bytes
from msdm_cli.audio.source import ArraySource, AudioProperties
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import UnsuitableAudio
from msdm_cli.jobs.places import place_results
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.run import opens_again
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import SKETCH
from msdm_cli.progress import SilentProgress
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES
from msdm_cli.tasks.calls import Calls, WatchedDenoiser
from msdm_cli.tasks.cascade import bind_alone
from msdm_cli.tasks.stream import NoStore

STORED_SAMPLE_BYTES = 4
CHUNKS = 2
"""Length of a rehearsal, in chunks."""

FEW_MULTIPLES = 4
"""Length of the first call, which is not timed, in multiples of what the network takes."""

MEASURED_CALLS = 3
LONG_CALL_SECONDS = 1.5
"""After so many seconds of calls on a CPU, no more are measured."""


@dataclass(frozen=True)
class Estimate:
    """What a job would cost.

    Attributes:
        audio_seconds: Length of what is worked on.
        calls: Network calls, at most: the sound of a chunk of which all stems are known takes none.
        seconds: Time that they take here. Reading and writing take about a tenth of it.
        memory_bytes: Peak memory, of the process or of the GPU; None if unknown.
        output_bytes: What would be written.
        journal_bytes: What the journal and the inputs that are kept take beside it until the job
            ends.
    """

    audio_seconds: float
    calls: int
    seconds: float
    memory_bytes: int | None
    output_bytes: int
    journal_bytes: int


def estimate_job(request: JobRequest, model: LoadedModel) -> Estimate:
    """The cost of ``run_job``. Lengths are those that headers state: nothing is decoded for them.

    Raises:
        AudioError: An input cannot be read, or inputs do not go together.
    """
    sources, output = _open(request, model)
    plan = request.row.plan(model, sources, request.options)
    subtype = request.output.choose_subtype(output.subtype)
    first = plan.chunks[0]
    stages = model.spec.list_stages(request.task)
    seconds = measure_stages(model, stages, plan.batch, first.stop - first.start)
    sketch = getattr(request.options, "sketch", None)
    chunk_seconds = add_calls(seconds, stages, sketch, request.options.preset)
    _rehearse(request, model, sources, subtype)
    # Devices share independent chunks: each round of them takes as long as one.
    devices = model.devices if plan.independent else 1
    rounds = -(-len(plan.chunks) // devices)
    places = place_results(request, model)
    share = FORMATS[request.output.file_format].size_share
    written = request.output.describe(output)
    samples = (len(places.written) - len(places.copies)) * written.channels * written.frames
    again = opens_again(subtype, output, written)
    kept = sum(count_kept_bytes(one.properties) for one in sources.values()) if again else 0
    copied = sum(path.stat().st_size for path in places.copies.values())
    return Estimate(
        audio_seconds=output.seconds,
        calls=plan.calls,
        seconds=rounds * chunk_seconds,
        memory_bytes=_find_peak_memory(model),
        output_bytes=round(samples * subtype.bytes_per_sample * share) + copied,
        journal_bytes=plan.stored_samples * STORED_SAMPLE_BYTES + kept,
    )


def _open(request: JobRequest, model: LoadedModel) -> tuple[dict[str, FileSource], AudioProperties]:
    """The inputs, whose headers are believed, and what would be written.

    Headers of inputs that go together may state different lengths: then the files are decoded.

    Raises:
        AudioError: An input cannot be read, or inputs do not go together.
    """
    sources = request.open_inputs()
    for source in sources.values():
        source.believe_header()
    describe = request.row.describe_output
    try:
        return sources, describe(model, sources, request.options)
    except UnsuitableAudio:
        for source in sources.values():
            source.look(level=False)
        return sources, describe(model, sources, request.options)


class _OneCall:
    """Makes a single network call, and gives silence for all others.

    Args:
        denoiser: The network.
        calls_before: Calls before that one.
    """

    def __init__(self, denoiser: Denoiser, calls_before: int = 0) -> None:
        self.takes_mixture = denoiser.takes_mixture
        self.shares_sigma = denoiser.shares_sigma
        self._denoiser = denoiser
        self._left = calls_before

    def __call__(
        self, x: Samples, sigma: Samples, mixture: Samples | None = None, *told: Samples
    ) -> Samples:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``."""
        self._left -= 1
        return self._denoiser(x, sigma, mixture, *told) if self._left == -1 else np.zeros_like(x)


def _rehearse(
    request: JobRequest, model: LoadedModel, files: Mapping[str, FileSource], subtype: Subtype
) -> None:
    """Take the memory of a job: its first chunks go the whole way, to nowhere.

    What is finished of the first chunk is used while the network runs on the second one, as in all
    that follow. A song of two chunks takes as much memory as one of a thousand.
    """
    first = request.row.plan(model, files, request.options).chunks[0]
    seconds = CHUNKS * (first.stop - first.start) / model.spec.sample_rate
    sources = {role: _begin(file, seconds) for role, file in files.items()}
    options = request.row.cut(replace(request.options, seed=0), seconds)
    plan = request.row.plan(model, sources, options)
    # The only call is one in the last chunk; of another stage, the first one.
    calls_before = (len(plan.chunks) - 1) * plan.calls_per_chunk
    rehearsal = replace(
        model,
        denoisers=(_OneCall(model.choose(0), calls_before),),
        openers=tuple(partial(_open_for_one_call, opener) for opener in model.openers),
    )
    finish = request.row.finish(options, subtype, request.inputs)
    stream = request.row.run(rehearsal, sources, options, NoStore(), SilentProgress())
    with closing(stream):
        for block in stream:
            finish.apply(block.stems, block.mixture)


def _begin(file: FileSource, seconds: float) -> ArraySource:
    """The beginning of a file; or of the part, where that is shorter."""
    properties = file.properties
    frames = min(math.ceil(seconds * properties.sample_rate), properties.frames)
    return ArraySource(file.read_beginning(frames), properties.sample_rate, file.name)


def _open_for_one_call(opener: Callable[[int], Denoiser], stage: int) -> Denoiser:
    return _OneCall(opener(stage))


def measure_stages(
    model: LoadedModel, stages: Iterable[int], batch: int, length: int
) -> dict[int, float]:
    """Seconds of one network call of each stage on a chunk of ``length`` samples."""
    return {
        stage: measure_call(model.for_stage(stage), batch, *find_length(model, stage, length))
        for stage in stages
    }


def add_calls(
    seconds: Mapping[int, float], stages: Sequence[int], *presets: Preset | None
) -> float:
    """Seconds of a chunk's network calls.

    Args:
        seconds: Of one call of each stage.
        stages: Those that do the task, in order.
        presets: Their settings, in order; those that are None do nothing.
    """
    used = [preset for preset in presets if preset is not None]
    return sum(preset.calls * seconds[stage] for stage, preset in zip(stages, used, strict=True))


def find_length(model: LoadedModel, stage: int, length: int) -> tuple[int, int]:
    """Numbers of a stem that a stage gets for a chunk, and what they are a multiple of."""
    if model.spec.stages[stage].representation != SKETCH or model.codes is None:
        return length, model.spec.length_multiple
    return length // TOKEN_SAMPLES * model.codes.numbers, model.codes.numbers


def measure_call(model: LoadedModel, batch: int, length: int, multiple: int) -> float:
    """Seconds of one network call on ``[batch, S, length]``, a multiple of ``multiple``."""
    spec = model.spec
    denoiser = model.choose(0)
    x = np.zeros((batch, len(spec.stems), length), np.float32)
    sigma = np.full(x.shape[:2], spec.sigma_max, np.float32)
    mixture = np.zeros((batch, length), np.float32) if denoiser.takes_mixture else None
    few = min(multiple * FEW_MULTIPLES, length)
    network = WatchedDenoiser(denoiser, Calls(SilentProgress()), 0)
    bind_alone(model, few)(network)(x[..., :few], sigma, None)
    asked = bind_alone(model, length)(network)
    taken: list[float] = []
    # The first call of each shape is slower: a GPU loads and plans, a CPU asks for memory. On a
    # CPU that is little beside a call of many seconds.
    patience = LONG_CALL_SECONDS if model.runtime.device == "cpu" else float("inf")
    while len(taken) < MEASURED_CALLS and sum(taken) < patience:
        began = time.perf_counter()
        asked(x, sigma, mixture)
        taken.append(time.perf_counter() - began)
    return min(taken)


def _find_peak_memory(model: LoadedModel) -> int | None:
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
