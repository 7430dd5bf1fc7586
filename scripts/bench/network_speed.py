"""Speed of a single network call, and of the kinds of work that it is made of."""

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from msdm_cli.backends.runtime import BACKENDS
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.interface import load_model
from msdm_cli.networks.row_layers import RowLinear
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig
from scripts.bench.report import Report
from scripts.bench.timing import best_time

# Without hardware for it, bf16 takes minutes.
GEMM_SIZES = {torch.float32: 2048, torch.bfloat16: 512}
SHAPES = ((1, 65536), (1, 266240), (2, 65536), (2, 266240))
PAPER_SHAPE = (1, 262144)
SIGMA = 10.0

OPERATORS = {
    "convolutions": ("aten::convolution", "aten::mkldnn_convolution"),
    "matrix products": (
        "aten::mm",
        "aten::addmm",
        "aten::bmm",
        "aten::baddbmm",
        "mkldnn::_linear_pointwise",
    ),
}
PASSES = "passes over memory (norms, activations, sums, copies, transforms), attention"

ROOFLINE = (
    "Memory limits the embedded network: between its convolutions it passes over activations of "
    "megabytes, with one or two operations a number. Fewer passes need fused kernels. "
    "torch.compile has them, but the last bits of its results change from call to call. The number "
    "of products limits the paper's network."
)


def count_linear(rows: torch.Size, weight: torch.Size, *_: object, **__: object) -> int:
    """Floating-point operations of an operator that PyTorch's counter leaves out."""
    return 2 * math.prod(rows) * weight[0]


COUNTED = {torch.ops.mkldnn._linear_pointwise: count_linear}

Inputs = tuple[Samples, Samples, Samples]


def make_inputs(batch: int, length: int) -> Inputs:
    """Noisy stems, their sigma and a mixture."""
    noise = np.random.default_rng(0).standard_normal((batch, 4, length), np.float32)
    x = np.float32(0.1) * noise
    return x, np.full((batch, 4), SIGMA, np.float32), x.sum(1)


@cache
def measure_gemm(dtype: torch.dtype) -> float:
    """GFLOP/s of a product of two square matrices, by the faster of PyTorch's libraries."""
    size = GEMM_SIZES[dtype]
    rows = torch.randn(1, size, size, dtype=dtype)
    layer = RowLinear(size, size, bias=False, dtype=dtype)
    with torch.inference_mode():
        seconds = min(best_time(lambda: rows[0] @ layer.weight), best_time(lambda: layer(rows)))
    return 2 * size**3 / seconds / 1e9


def add_calls(report: Report) -> None:
    """Add the table of one network call by backend, batch and length."""
    peak = measure_gemm(torch.float32)
    report.write(
        f"One network call; this machine multiplies matrices at {peak:.0f} GFLOP/s in float32, "
        f"{measure_gemm(torch.bfloat16):.0f} in bf16."
    )
    columns = ("seconds", "x real time, mono", "GFLOP/s", "of the machine's")
    report.begin_table("backend", "batch x samples", *columns)
    models = {
        backend: load_model(device="cpu", backend=backend, precision="fp32") for backend in BACKENDS
    }
    for batch, length in SHAPES:
        inputs = make_inputs(batch, length)
        with FlopCounterMode(display=False) as counter:
            models["torch"].denoisers[0](*inputs)
        flops = counter.get_total_flops()
        for backend, model in models.items():
            seconds = time_call(model.denoisers[0], inputs)
            speed = flops / seconds / 1e9
            pace = batch * length / model.spec.sample_rate / seconds
            cells = (f"{seconds:.2f}", f"{pace:.1f}", f"{speed:.0f}", f"{speed / peak:.0%}")
            report.row(backend, f"{batch} x {length}", *cells)


def time_call(denoiser: Denoiser, inputs: Inputs) -> float:
    """Seconds of a network call."""
    return best_time(lambda: denoiser(*inputs))


def add_operators(report: Report) -> None:
    """Add the table of kinds of work, and how near to the machine's products each comes."""
    report.write(
        "Time of a network call by kind of work, from PyTorch's profiler. The paper's network "
        "computes convolutions by Winograd's algorithm; they count as matrix products."
    )
    columns = ("share of the time", "GFLOP", "GFLOP/s", "of the machine's")
    report.begin_table("network", "batch x samples", "work", *columns)
    embedded = load_model(device="cpu", precision="fp32").denoisers[0]
    paper = TorchDenoiser(Unet1d(Unet1dConfig()), torch.device("cpu"))
    for name, denoiser, shape in (
        ("embedded", embedded, SHAPES[-1]),
        ("405 M", paper, PAPER_SHAPE),
    ):
        for cells in profile_call(denoiser, make_inputs(*shape)):
            report.row(name, f"{shape[0]} x {shape[1]}", *cells)
    report.write(ROOFLINE)


def profile_call(denoiser: Denoiser, inputs: Inputs) -> Iterator[tuple[str, ...]]:
    """Kind of work, share of the time, and GFLOP, GFLOP/s and share of the machine's if known."""
    denoiser(*inputs)
    with FlopCounterMode(display=False, custom_mapping=COUNTED) as counter:
        denoiser(*inputs)
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        denoiser(*inputs)
    events = profiler.key_averages()
    seconds = {event.key: event.self_cpu_time_total / 1e6 for event in events}
    counts = counter.get_flop_counts()["Global"]
    flops = {str(key).replace(".", "::"): count for key, count in counts.items()}
    total = sum(seconds.values())
    rest = total
    peak = measure_gemm(torch.float32)
    for kind, operators in OPERATORS.items():
        took = sum(seconds.get(operator, 0.0) for operator in operators)
        gflop = sum(flops.get(operator, 0) for operator in operators) / 1e9
        if took:
            speed = gflop / took
            numbers = (f"{gflop:.0f}", f"{speed:.0f}", f"{speed / peak:.0%}")
            yield (kind, f"{took / total:.0%}", *numbers)
        rest -= took
    yield (PASSES, f"{rest / total:.0%}", "", "", "")
