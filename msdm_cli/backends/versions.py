"""Versions of what runs networks, found without importing it, which takes seconds."""

from importlib.metadata import PackageNotFoundError, version

ONNX_RUNTIMES = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
)
"""Wheels that bring the package ``onnxruntime``."""

WHEELS: dict[str, dict[str, tuple[str, ...]]] = {
    "torch": {"torch": ("torch",)},
    "onnx": {"onnxruntime": ONNX_RUNTIMES},
}
"""What each backend computes with: packages, and the wheels that bring them."""

UNKNOWN = "not known"


def find_versions(backend: str) -> dict[str, str]:
    """Versions of what a backend computes with, by package."""
    return {name: _find_version(wheels) for name, wheels in WHEELS[backend].items()}


def _find_version(wheels: tuple[str, ...]) -> str:
    for wheel in wheels:
        try:
            return version(wheel)
        except PackageNotFoundError:  # noqa: PERF203  five times at most
            continue
    return UNKNOWN
