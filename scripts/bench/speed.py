"""Speed and memory of ``msdm separate`` on this machine, and of what it is made of.

    pip install --no-deps demucs julius einops tqdm audio_diffusion_pytorch==0.0.43 einops-exts    # the peers
    python scripts/bench/speed.py tests/data/song.flac --output scripts/bench/RESULTS.md

The song is repeated to the lengths that are measured, as 44.1 kHz stereo in 16 bits.
"""

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
import resampy
import soundfile
import torch
import typer
from peers import time_demucs
from quality import distinct_presets
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from msdm_cli.backends.runtime import BACKENDS, Runtime
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.models.load import Model, load_model
from msdm_cli.networks.row_layers import RowLinear
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.separate import SeparateOptions, separate_song

RATE = 44100
GEMM_SIZES = {
    torch.float32: 2048,
    torch.bfloat16: 512,
}  # without hardware for it, bf16 takes minutes
SHAPES = ((1, 65536), (1, 266240), (2, 65536), (2, 266240))
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
ROOFLINE = (
    "What stops the embedded network is memory: between its convolutions lie passes over activations of megabytes, "
    "at one or two operations a number. Fewer passes need fused kernels: "
    "torch.compile has them, but the last bits of what it gives change from call to call. What stops the paper's "
    "network is the number of its products."
)
# PyTorch's counter leaves it out
COUNTED = {
    torch.ops.mkldnn._linear_pointwise: lambda rows, weight, *_, **__: (
        2 * math.prod(rows) * weight[0]
    )
}
WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, end="")
"""


class TimedDenoiser:
    """A denoiser that adds up how long it took."""

    takes_mixture, shares_sigma = True, False

    def __init__(self, model: Model) -> None:
        self.inner, self.seconds = model.denoiser, 0.0

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems."""
        began = time.perf_counter()
        denoised = self.inner(x, sigma, mixture)
        self.seconds += time.perf_counter() - began
        return denoised


def write_song(source: Path, path: Path, seconds: float) -> None:
    """Repeat a song to a length, in blocks."""
    samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    once = resampy.resample(samples.T, rate, RATE).T
    with soundfile.SoundFile(path, "w", RATE, once.shape[1], "PCM_16") as file:
        left = round(seconds * RATE)
        while left:
            file.write(once[:left])
            left -= min(left, len(once))


def run(song: Path, folder: Path, quality: str, backend: str) -> tuple[float, int, float]:
    """Separate in a process of its own: seconds per run, network calls, peak memory in MB."""
    command = [
        sys.executable,
        "-m",
        "msdm_cli",
        "separate",
        str(song),
        "-o",
        str(folder),
        "--json",
        "--overwrite",
    ]
    command += ["--quality", quality, "--seed", "0", "--device", "cpu", "--backend", backend]
    began = time.perf_counter()
    # A small process in between: Linux counts the memory of the one that starts a process as its own.
    told = subprocess.run(
        [sys.executable, "-c", WATCH, *command], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    seconds = time.perf_counter() - began
    summary, peak = told.rsplit("\n", 1)
    return seconds, json.loads(summary)[0]["calls"], int(peak) / 1024


def best_time(work: Callable[[], object], repeats: int = 3) -> float:
    """Least seconds of several runs, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


@cache
def measure_gemm(dtype: torch.dtype) -> float:
    """GFLOP/s of a product of two square matrices by the faster of PyTorch's libraries, measured once."""
    size = GEMM_SIZES[dtype]
    rows, layer = (
        torch.randn(1, size, size, dtype=dtype),
        RowLinear(size, size, bias=False, dtype=dtype),
    )
    with torch.inference_mode():
        return (
            2
            * size**3
            / min(best_time(lambda: rows[0] @ layer.weight), best_time(lambda: layer(rows)))
            / 1e9
        )


def cpu_name() -> str:
    """What the processor calls itself, as far as the system tells."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def network_share(song: Path, folder: Path, quality: str) -> float:
    """Share of the run time that the network takes."""
    model = load_model("embedded", Runtime(device="cpu"))
    timed = TimedDenoiser(model)
    options = SeparateOptions(model.spec.preset("separate", quality), 0)
    separate_song(
        Model(model.spec, timed, model.runtime), song, folder / "warm", options, SilentProgress()
    )
    timed.seconds, began = 0.0, time.perf_counter()
    separate_song(
        Model(model.spec, timed, model.runtime), song, folder / "timed", options, SilentProgress()
    )
    return timed.seconds / (time.perf_counter() - began)


def tell_network() -> list[str]:
    """One network call by backend, batch and length."""
    peak = measure_gemm(torch.float32)
    lines = [
        f"One network call; this machine multiplies matrices at {peak:.0f} GFLOP/s in float32, "
        f"{measure_gemm(torch.bfloat16):.0f} in bf16.",
        "",
        "| backend | batch x samples | seconds | x real time, mono | GFLOP/s | of the machine's |",
        "|---|---|---|---|---|---|",
    ]
    models = {
        backend: load_model("embedded", Runtime(backend, "cpu", "fp32")) for backend in BACKENDS
    }
    assert isinstance(models["torch"].denoiser, TorchDenoiser)
    rng = np.random.default_rng(0)
    for batch, length in SHAPES:
        x = 0.1 * rng.standard_normal((batch, 4, length), np.float32)
        sigma, mixture = np.full((batch, 4), 10.0, np.float32), x.sum(1)
        with FlopCounterMode(display=False) as counter:
            models["torch"].denoiser(x, sigma, mixture)
        for backend, model in models.items():
            seconds = best_time(
                lambda model=model, given=(x, sigma, mixture): model.denoiser(*given)
            )
            speed = counter.get_total_flops() / seconds / 1e9
            pace = batch * length / model.spec.sample_rate / seconds
            lines.append(
                f"| {backend} | {batch} x {length} | {seconds:.2f} | {pace:.1f} | {speed:.0f} | {speed / peak:.0%} |"
            )
    return lines


def tell_operators() -> list[str]:
    """Where the time of a network call goes, and how near to the machine's products each kind of work comes."""
    embedded = load_model("embedded", Runtime("torch", "cpu", "fp32")).denoiser
    paper = TorchDenoiser(Unet1d(Unet1dConfig()), torch.device("cpu"))
    peak = measure_gemm(torch.float32)
    lines = [
        "Where a network call goes, by PyTorch's profiler. Convolutions by Winograd's algorithm, in the paper's "
        "network, are counted as the products that they are.",
        "",
        "| network | batch x samples | work | share of the time | GFLOP | GFLOP/s | of the machine's |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, denoiser, (batch, length) in (
        ("embedded", embedded, SHAPES[-1]),
        ("405 M", paper, (1, 262144)),
    ):
        x = 0.1 * np.random.default_rng(0).standard_normal((batch, 4, length), np.float32)
        inputs = x, np.full((batch, 4), 10.0, np.float32), x.sum(1)
        denoiser(*inputs)
        with FlopCounterMode(display=False, custom_mapping=COUNTED) as counter:
            denoiser(*inputs)
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            denoiser(*inputs)
        seconds = {event.key: event.self_cpu_time_total / 1e6 for event in profiler.key_averages()}
        flops = {
            str(key).replace(".", "::"): count
            for key, count in counter.get_flop_counts()["Global"].items()
        }
        total = rest = sum(seconds.values())
        row = f"| {name} | {batch} x {length} |"
        for kind, operators in OPERATORS.items():
            took = sum(seconds.get(operator, 0.0) for operator in operators)
            work = sum(flops.get(operator, 0) for operator in operators) / 1e9
            if took:
                speed = work / took
                lines.append(
                    f"{row} {kind} | {took / total:.0%} | {work:.0f} | {speed:.0f} | {speed / peak:.0%} |"
                )
            rest -= took
        passes = "passes over memory (norms, activations, sums, copies, transforms), attention"
        lines.append(f"{row} {passes} | {rest / total:.0%} | | | |")
    return [*lines, "", ROOFLINE]


def tell_songs(song: Path, folder: Path, short_seconds: float) -> list[str]:
    """Whole commands on a short song by quality and backend, and the peer."""
    lines = [
        f"| {short_seconds:g} s of stereo | network calls | x real time | share of the network | peak memory, MB |",
        "|---|---|---|---|---|",
    ]
    path = folder / "short.wav"
    write_song(song, path, short_seconds)
    for names in distinct_presets(load_model("embedded", Runtime(device="cpu"))).values():
        share = network_share(path, folder / names[0], names[0])
        for backend in BACKENDS:
            seconds, calls, peak = run(path, folder, names[0], backend)
            told = f"{share:.0%}" if backend == "torch" else ""
            pace = short_seconds / seconds
            lines.append(
                f"| {', '.join(names)}; {backend} | {calls} | {pace:.2f} | {told} | {peak:.0f} |"
            )
    if demucs := time_demucs(path):
        lines.append(
            f"| demucs {demucs.version}, {demucs.model}, random weights | | {demucs.times_real_time:.2f} | | |"
        )
    return lines


def tell_lengths(song: Path, folder: Path, minutes: list[float]) -> list[str]:
    """Cost against the length of the song."""
    lines = ["| length, fast, torch | x real time | peak memory, MB |", "|---|---|---|"]
    for length in minutes:
        path = folder / "long.wav"
        write_song(song, path, 60 * length)
        seconds, _, peak = run(path, folder, "fast", "torch")
        lines.append(f"| {length:g} min | {60 * length / seconds:.2f} | {peak:.0f} |")
    return lines


def tell_start(song: Path, folder: Path) -> list[str]:
    """What a command takes before and after its work."""
    path = folder / "tiny.wav"
    write_song(song, path, 0.1)
    lines = ["| start to end | seconds |", "|---|---|"]
    for backend in BACKENDS:
        seconds = best_time(lambda backend=backend: run(path, folder, "fast", backend))
        lines.append(f"| separate 0.1 s, {backend} | {seconds:.2f} |")
    command = [sys.executable, "-m", "msdm_cli", "--help"]
    seconds = best_time(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    return [*lines, f"| --help | {seconds:.2f} |"]


def tell_reference() -> list[str]:
    """The authors' loop on the same weights as ours, by the bench that compares them."""
    command = [sys.executable, str(Path(__file__).with_name("published.py"))]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main(
    song: Annotated[Path, typer.Argument(help="Any song.")],
    *,
    short_seconds: float = 60.0,
    memory_minutes: Annotated[str, typer.Option(help="Lengths whose cost is compared.")] = "3,30",
    output: Annotated[Path | None, typer.Option(help="Write the tables there too.")] = None,
) -> None:
    """Print the tables."""
    lines = [
        f"`scripts/bench/speed.py` on {cpu_name()}, {os.cpu_count()} cores, "
        f"torch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, 44.1 kHz stereo.",
    ]
    print(lines[0], flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tell in (
            tell_network,
            tell_operators,
            tell_reference,
            lambda: tell_songs(song, folder, short_seconds),
            lambda: tell_start(song, folder),
            lambda: tell_lengths(
                song, folder, [float(minutes) for minutes in memory_minutes.split(",")]
            ),
        ):
            lines += ["", *tell()]
            print("\n".join(lines), flush=True)
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
