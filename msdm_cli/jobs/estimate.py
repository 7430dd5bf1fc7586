"""What a job would cost, before it runs: one network call is measured, the rest is counted."""

import sys
import time
from dataclasses import dataclass

import numpy as np

from msdm_cli.audio.formats import FORMATS
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.run import place_results
from msdm_cli.models.load import LoadedModel

STORED_SAMPLE_BYTES = 4
FEW_MULTIPLES = 4
"""Length of the first call, which is not timed, in multiples of what the network takes."""


@dataclass(frozen=True)
class Estimate:
    """What a job would cost.

    Attributes:
        audio_seconds: Length of what is worked on.
        calls: Network calls.
        seconds: Time that they take here. Reading and writing take about a tenth of it.
        memory_bytes: Peak memory after one call, of the process or of the GPU; None if unknown.
        output_bytes: What would be written.
        journal_bytes: What the journal takes beside it until the job ends.
    """

    audio_seconds: float
    calls: int
    seconds: float
    memory_bytes: int | None
    output_bytes: int
    journal_bytes: int


def estimate_job(request: JobRequest, model: LoadedModel) -> Estimate:
    """The cost of ``run_job``.

    Raises:
        AudioError: An input cannot be read, or inputs do not go together.
    """
    sources = request.open_inputs()
    output = request.row.describe_output(model, sources, request.options)
    plan = request.row.plan(model, sources, request.options)
    first = plan.chunks[0]
    call_seconds = measure_call(model, plan.batch, first.stop - first.start)
    # Devices share independent chunks: each round of them takes as long as one.
    devices = model.devices if plan.independent else 1
    rounds = -(-len(plan.chunks) // devices)
    paths, copies = place_results(request, model)
    subtype = request.output.choose_subtype(output.subtype)
    share = FORMATS[request.output.file_format].size_share
    samples = (len(paths) - len(copies)) * output.channels * output.frames
    copied = sum(path.stat().st_size for path in copies.values())
    return Estimate(
        audio_seconds=output.seconds,
        calls=plan.calls,
        seconds=rounds * plan.calls_per_chunk * call_seconds,
        memory_bytes=_peak_memory(model),
        output_bytes=round(samples * subtype.bytes_per_sample * share) + copied,
        journal_bytes=plan.stored_samples * STORED_SAMPLE_BYTES,
    )


def measure_call(model: LoadedModel, batch: int, length: int) -> float:
    """Seconds of one network call on ``[batch, S, length]``."""
    spec = model.spec
    denoiser = model.choose(0)
    x = np.zeros((batch, len(spec.stems), length), np.float32)
    sigma = np.full(x.shape[:2], spec.sigma_max, np.float32)
    mixture = np.zeros((batch, length), np.float32) if denoiser.takes_mixture else None
    denoiser(x[..., : spec.length_multiple * FEW_MULTIPLES], sigma, None)
    taken = []
    # A GPU loads and plans in the first call of each shape.
    for _ in range(1 if model.runtime.device == "cpu" else 3):
        began = time.perf_counter()
        denoiser(x, sigma, mixture)
        taken.append(time.perf_counter() - began)
    return min(taken)


def _peak_memory(model: LoadedModel) -> int | None:
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
