"""What runs a network: backend, device and precision."""

from dataclasses import dataclass
from numbers import Integral

AUTO = "auto"
BACKENDS = ("torch", "onnx")
PRECISIONS = ("fp32", "bf16", "fp16")
MOST_THREADS = 1024
MOST_DEVICES = 64


@dataclass(frozen=True)
class Runtime:
    """What runs a network. Besides weights and input, it decides the last bits of the output.

    ``auto`` leaves the choice to ``msdm_cli.models.load``, whose models have a runtime without
    ``auto``.

    Attributes:
        backend: torch or onnx.
        device: cpu, cuda, cuda:N, or another device of the backend: mps for torch; tensorrt, coreml
            or dml for onnx. Several are separated by commas.
        precision: Precision of the learned part: fp32, bf16 or fp16. Transforms and samplers
            compute in single precision.
        threads: Threads that a CPU computes with; their number decides the last bits. 0 leaves it
            to the backend.
    """

    backend: str = AUTO
    device: str = AUTO
    precision: str = AUTO
    threads: int = 0

    def __post_init__(self) -> None:
        if self.backend not in (AUTO, *BACKENDS):
            raise ValueError(f"expected a backend of {', '.join(BACKENDS)}, got {self.backend}")
        if self.precision not in (AUTO, *PRECISIONS):
            raise ValueError(
                f"expected a precision of {', '.join(PRECISIONS)}, got {self.precision}"
            )
        if not isinstance(self.device, str):
            raise TypeError(f"expected the name of a device, got {self.device!r}")
        if self.devices > MOST_DEVICES:
            raise ValueError(f"expected up to {MOST_DEVICES} devices, got {self.devices}")
        counts = isinstance(self.threads, Integral) and not isinstance(self.threads, bool)
        if not counts or not 0 <= self.threads <= MOST_THREADS:
            raise ValueError(f"expected 0 to {MOST_THREADS} threads, got {self.threads}")

    @property
    def devices(self) -> int:
        """Number of devices."""
        return len(self.device.split(","))

    def __str__(self) -> str:
        return f"{self.device}, {self.backend}, {self.precision}"
