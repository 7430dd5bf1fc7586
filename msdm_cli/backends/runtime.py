"""What runs a network. Beside its weights and its input, this decides the last bits of what it gives."""

from dataclasses import dataclass

AUTO = "auto"
BACKENDS = ("torch", "onnx")
PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Runtime:
    """What runs a network; ``auto`` leaves a choice to ``msdm_cli.models.load``, and is not left after it.

    Attributes:
        backend: torch or onnx.
        device: cpu, cuda, cuda:N, or what else the backend has: mps for torch; tensorrt, coreml, dml for onnx. Several
            are separated by commas.
        precision: Of the learned part: fp32, bf16, fp16. Transforms and the sampler are in single precision.
    """

    backend: str = AUTO
    device: str = AUTO
    precision: str = AUTO

    def __post_init__(self) -> None:
        if self.backend not in (AUTO, *BACKENDS) or self.precision not in (AUTO, *PRECISIONS):
            raise ValueError(
                f"expected a backend of {BACKENDS} and a precision of {PRECISIONS}, got {self}"
            )

    def __str__(self) -> str:
        return f"{self.device}, {self.backend}, {self.precision}"
