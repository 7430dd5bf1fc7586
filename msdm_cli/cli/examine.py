"""What works here and what does not: found out by doing it, not by asking."""

import importlib.metadata
import os
import platform
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import soundfile

from msdm_cli import __version__
from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import MsdmError
from msdm_cli.jobs.estimate import measure_call
from msdm_cli.models.load import Model, load_model
from msdm_cli.models.registry import EMBEDDED, cache_folder, find_entry, load_registry
from msdm_cli.models.spec import QUALITIES
from msdm_cli.models.verify import check_file
from msdm_cli.tasks.sampling import calls_per_chunk

PACKAGES = ("torch", "numpy", "resampy", "numba", "soundfile", "safetensors", "typer", "rich")
ONNX_RUNTIMES = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
)
FREE_BYTES = 2 << 30
BENCHMARK_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        told: What was found.
        remedy: What to do about it; empty if all is well.
    """

    subject: str
    told: str
    remedy: str = ""


@dataclass(frozen=True)
class Pace:
    """How fast a task goes here.

    Attributes:
        task: separate, impute or generate.
        quality: fast, default or best.
        calls: Network calls for a chunk.
        times_real_time: Seconds of mono music in a second.
    """

    task: str
    quality: str
    calls: int
    times_real_time: float


def examine() -> Iterator[Finding]:
    """Look at everything but speed."""
    yield Finding(
        "msdm", f"{__version__}, Python {platform.python_version()}, {platform.platform()}"
    )
    yield Finding("packages", ", ".join(f"{name} {version(name)}" for name in PACKAGES))
    yield Finding(
        "sound files",
        f"libsndfile {soundfile.__libsndfile_version__}, {', '.join(_list_formats())}",
    )
    yield _examine_onnx_runtimes()
    yield from _examine_torch()
    yield from _examine_providers()
    yield from _examine_weights()
    yield _examine_cache()


def _list_formats() -> list[str]:
    return [name for name in ("WAV", "FLAC", "OGG", "MP3") if name in soundfile.available_formats()]


def _examine_onnx_runtimes() -> Finding:
    """Two of these wheels write the same files: whichever came last is there, in part."""
    installed = {
        wheel.metadata["Name"].lower(): wheel.version
        for wheel in importlib.metadata.distributions()
    }
    found = {name: installed[name] for name in ONNX_RUNTIMES if name in installed}
    told = ", ".join(f"{name} {number}" for name, number in found.items()) or "none"
    if len(found) == 1:
        return Finding("ONNX Runtime", told)
    names = " ".join(found)
    remove = f"pip uninstall {names}, then " if found else ""
    return Finding(
        "ONNX Runtime",
        told,
        f"One must be there: {remove}pip install onnxruntime-gpu (or onnxruntime).",
    )


def _examine_torch() -> Iterator[Finding]:
    import torch

    from msdm_cli.backends.torch_backend import multiplies_bf16

    bf16 = ", fast in bf16" if multiplies_bf16() else ""
    capability = torch.backends.cpu.get_cpu_capability()
    yield Finding(
        "cpu (torch)",
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {capability}{bf16}",
    )
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        told = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
        yield Finding(f"cuda:{index} (torch)", *_try(Runtime("torch", f"cuda:{index}"), told))
    if torch.version.cuda and not torch.cuda.is_available():
        yield Finding(
            "cuda (torch)", f"PyTorch was built for CUDA {torch.version.cuda}, but finds no GPU"
        )
    if torch.backends.mps.is_available():
        yield Finding("mps (torch)", *_try(Runtime("torch", "mps"), "there"))


def _examine_providers() -> Iterator[Finding]:
    """Each provider that this ONNX Runtime was built with, by opening a session and running it.

    A machine without the hardware is not ill: only the CPU, and CUDA beside an NVIDIA driver, must work.
    """
    from msdm_cli.backends.onnx_backend import list_devices

    expected = {"cpu", "cuda"} if shutil.which("nvidia-smi") else {"cpu"}
    for device in list_devices():
        told, remedy = _try(Runtime("onnx", device), "works")
        yield Finding(f"{device} (onnx)", told, remedy if device in expected else "")


def _try(runtime: Runtime, told: str) -> tuple[str, str]:
    """What was found of a runtime, and what to do: whether the embedded model runs on it."""
    try:
        model = load_model(EMBEDDED, runtime)
        measure_call(model, 1, model.spec.length_multiple * 4)
    except MsdmError as error:
        return error.message, error.hint
    return told, ""


def _examine_weights() -> Iterator[Finding]:
    try:
        names = list(load_registry())
    except MsdmError as error:
        yield Finding("models", error.message, error.hint)
        names = [EMBEDDED]
    for name in names:
        try:
            entry = find_entry(name)
            for file in entry.files:
                check_file(entry, file)
        except MsdmError as error:
            yield Finding(f"model {name}", error.message, error.hint)
            continue
        graph = "with its graph" if entry.onnx else "without a graph (msdm weights export)"
        yield Finding(f"model {name}", f"{entry.weights.size_bytes / 1e6:.0f} MB, whole, {graph}")


def _examine_cache() -> Finding:
    folder = cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    used = (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if folder.exists()
        else 0
    )
    told = f"{folder}, {used / 1e6:.0f} MB, {free / 2**30:.1f} GiB free"
    if not os.access(there, os.W_OK):
        return Finding("cache", told, "It cannot be written: set MSDM_CACHE to another folder.")
    return Finding("cache", told, "The disk is nearly full." if free < FREE_BYTES else "")


def measure_paces(model: Model) -> list[Pace]:
    """How fast each task goes at each quality, from network calls of about five seconds in all."""
    spec, found, left = model.spec, [], BENCHMARK_SECONDS
    while left > 0:
        began = time.perf_counter()
        found.append(measure_call(model, 1, spec.chunk_length))
        left -= max(found[-1], time.perf_counter() - began)  # a GPU is called several times
    kept_seconds = (spec.chunk_length - 2 * spec.context) / spec.sample_rate
    return [
        Pace(task, quality, calls, kept_seconds / (calls * min(found)))
        for task, presets in spec.presets.items()
        for quality in (name for name in QUALITIES if name in presets)
        for calls in [calls_per_chunk(presets[quality])]
    ]
