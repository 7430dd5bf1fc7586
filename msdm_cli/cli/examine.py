"""What works on this machine, found by trying it."""

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import soundfile

from msdm_cli import __version__
from msdm_cli.audio.formats import FORMATS, writable_formats
from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.versions import ONNX_RUNTIMES
from msdm_cli.cli.hints import find_hint
from msdm_cli.errors import MsdmError
from msdm_cli.jobs.estimate import FEW_MULTIPLES, add_calls, measure_call, measure_stages
from msdm_cli.models.load import LoadedModel, load
from msdm_cli.models.registry import EMBEDDED, cache_folder, find_entry, load_registry
from msdm_cli.models.spec import QUALITIES
from msdm_cli.models.verify import check_file
from msdm_cli.tasks.table import TASKS

PACKAGES = ("torch", "numpy", "resampy", "numba", "soundfile", "safetensors", "typer", "rich")
NVIDIA_DEVICES = ("cuda", "tensorrt")
FREE_BYTES = 2 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        description: What was found.
        remedy: What to do about it; empty if all is well.
    """

    subject: str
    description: str
    remedy: str = ""


@dataclass(frozen=True)
class Pace:
    """How fast a task runs on this machine.

    Attributes:
        task: Name of the task.
        quality: Name of the quality.
        calls: Network calls for a chunk.
        times_real_time: Seconds of mono music in a second.
    """

    task: str
    quality: str
    calls: int
    times_real_time: float


def examine() -> Iterator[Finding]:
    """Find out everything but speed."""
    yield Finding(
        "msdm", f"{__version__}, Python {platform.python_version()}, {platform.platform()}"
    )
    yield Finding("packages", ", ".join(f"{name} {version(name)}" for name in PACKAGES))
    yield Finding(
        "sound files",
        f"libsndfile {soundfile.__libsndfile_version__} writes {', '.join(_list_formats())}",
    )
    yield _examine_onnx_runtimes()
    yield from _examine_torch()
    yield from _examine_providers()
    yield from _examine_weights()
    yield _examine_cache()


def has_nvidia() -> bool:
    """Whether this machine has an NVIDIA GPU: its driver brings a program, or files of devices."""
    return shutil.which("nvidia-smi") is not None or any(Path("/dev").glob("nvidia[0-9]*"))


def _list_formats() -> list[str]:
    """The formats that can be written here: an old libsndfile lacks some."""
    return [
        name
        for name in writable_formats()
        if soundfile.check_format(FORMATS[name].libsndfile_name, FORMATS[name].subtypes[0])
    ]


def _examine_onnx_runtimes() -> Finding:
    """Whether there is exactly one wheel of ONNX Runtime.

    They all write the same files. Of two, the one that was installed last works, or neither.
    """
    installed = {
        wheel.metadata["Name"].lower(): wheel.version
        for wheel in importlib.metadata.distributions()
    }
    found = {name: installed[name] for name in ONNX_RUNTIMES if name in installed}
    description = ", ".join(f"{name} {number}" for name, number in found.items()) or "none"
    if len(found) == 1:
        return Finding("ONNX Runtime", description)
    remove = f"pip uninstall {' '.join(found)}, then " if found else ""
    return Finding(
        "ONNX Runtime",
        description,
        f"Install exactly one: {remove}pip install onnxruntime (onnxruntime-gpu for NVIDIA).",
    )


def _examine_torch() -> Iterator[Finding]:
    import torch

    from msdm_cli.backends.torch_backend import multiplies_bf16

    bf16 = ", fast in bf16" if multiplies_bf16() else ""
    capability = torch.backends.cpu.get_cpu_capability()
    yield Finding(
        "cpu (torch)",
        f"cores: {os.cpu_count()}, threads: {torch.get_num_threads()}, {capability}{bf16}",
    )
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        device = f"cuda:{index}"
        description = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
        yield _try(f"{device} (torch)", Runtime("torch", device), description)
    if not has_nvidia():
        yield Finding("NVIDIA GPU", "none on this machine, so cuda and tensorrt were not tried")
    elif not torch.cuda.is_available():
        built = f"was built for CUDA {torch.version.cuda}" if torch.version.cuda else "has no CUDA"
        yield Finding("cuda (torch)", f"PyTorch {built}, and finds no GPU")
    if torch.backends.mps.is_available():
        yield _try("mps (torch)", Runtime("torch", "mps"), "works")


def _examine_providers() -> Iterator[Finding]:
    """Whether each provider of this ONNX Runtime runs the embedded model.

    Only the CPU must work, and CUDA if there is an NVIDIA GPU. The hardware of the others may be
    missing.
    """
    from msdm_cli.backends.onnx_backend import list_devices

    nvidia = has_nvidia()
    expected = {"cpu", "cuda"} if nvidia else {"cpu"}
    for device in list_devices():
        if device in NVIDIA_DEVICES and not nvidia:
            continue
        finding = _try(f"{device} (onnx)", Runtime("onnx", device), "works")
        yield finding if device in expected else replace(finding, remedy="")


def _try(subject: str, runtime: Runtime, description: str) -> Finding:
    """Whether the embedded model runs on a runtime; ``description`` if it does."""
    try:
        model = load(EMBEDDED, runtime)
        multiple = model.spec.length_multiple
        measure_call(model, 1, multiple * FEW_MULTIPLES, multiple)
    except MsdmError as error:
        return _describe_error(subject, error)
    return Finding(subject, description)


def _describe_error(subject: str, error: MsdmError) -> Finding:
    return Finding(subject, error.message, find_hint(error))


def _examine_weights() -> Iterator[Finding]:
    try:
        names = list(load_registry())
    except MsdmError as error:
        yield _describe_error("models", error)
        names = [EMBEDDED]
    for name in names:
        try:
            entry = find_entry(name)
            for file in entry.files:
                check_file(entry, file)
        except MsdmError as error:
            yield _describe_error(f"model {name}", error)
            continue
        graph = "with" if entry.onnx else "without"
        size = f"{sum(file.size_bytes for file in entry.files) / 1e6:.0f} MB"
        yield Finding(f"model {name}", f"{size}, undamaged, {graph} a graph for ONNX Runtime")


def _examine_cache() -> Finding:
    folder = cache_folder()
    present = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(present).free
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    description = f"{folder}, {used / 1e6:.0f} MB, {free / 2**30:.1f} GiB free"
    remedy = ""
    if not os.access(present, os.W_OK):
        remedy = "It cannot be written: set MSDM_CACHE to another folder."
    elif free < FREE_BYTES:
        remedy = "The disk is nearly full: make room, or set MSDM_CACHE to another folder."
    return Finding("cache", description, remedy)


def measure_paces(model: LoadedModel) -> list[Pace]:
    """How fast each task runs at each quality, from one network call of each stage."""
    spec = model.spec
    each = measure_stages(model, range(len(spec.stages)), 1, spec.chunk_length)
    kept_seconds = (spec.chunk_length - 2 * spec.context) / spec.sample_rate
    found = []
    for task in TASKS:
        for quality in (name for name in QUALITIES if name in spec.list_presets(task)):
            preset, sketch = spec.preset(task, quality), spec.sketch_preset(task, quality)
            seconds = add_calls(each, spec.list_stages(task), sketch, preset)
            calls = preset.calls + (sketch.calls if sketch else 0)
            found.append(Pace(task, quality, calls, kept_seconds / seconds))
    return found
