"""Names of processors. Beside versions and threads, the processor decides the last bits."""

import platform
import re
from pathlib import Path

from msdm_cli.backends.runtime import Runtime

CPU_INFO = Path("/proc/cpuinfo")


def name_processors(runtime: Runtime) -> str:
    """Names of what computes, GPU or CPU, without repetition.

    Args:
        runtime: A runtime of a loaded model, without ``auto``.
    """
    names = [_name(device, runtime.backend) for device in runtime.device.split(",")]
    return ", ".join(dict.fromkeys(names))


def _name(device: str, backend: str) -> str:
    if device.partition(":")[0] == "cuda" and backend == "torch":
        from msdm_cli.backends.torch_backend import name_device

        return name_device(device)
    return name_cpu()


def name_cpu() -> str:
    """Name of the CPU, with its family, model and stepping where the system says them.

    Virtual machines often hide the name, but not the numbers.
    """
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = {
        match[1]: match[2].strip()
        for match in re.finditer(r"^([^\t:\n]+)\t*:([^\n]*)$", lines.partition("\n\n")[0], re.M)
    }
    keys = ("cpu family", "model", "stepping")
    numbers = "-".join(found[key] for key in keys if key in found)
    name = found.get("model name") or found.get("CPU part") or platform.machine()
    return f"{name} ({numbers})" if numbers else name
