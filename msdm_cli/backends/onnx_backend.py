"""Running an exported network with ONNX Runtime."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from msdm_cli.backends.batches import run_batch
from msdm_cli.backends.runtime import AUTO
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import BackendUnavailable, DeviceFull

SHARES_SIGMA, PRECISION = "shares_sigma", "precision"
"""Properties of an exported network: 1 if it was trained with one sigma for all stems; fp32 or fp16."""

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "dml": "DmlExecutionProvider",
}

EXACT = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
"""Of CUDA: by default each process times which convolution is fastest, and rounds fp32 to the 10 bits of TF32."""

onnxruntime.set_default_logger_severity(4)  # what fails is raised

FAILURES = (
    state.EPFail,
    state.EngineError,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoSuchFile,
    state.NotImplemented,
    state.RuntimeException,
)
"""What ONNX Runtime raises; the classes have no common base."""

FULL = ("Failed to allocate memory", "out of memory", "bad_alloc", "ALLOC_FAILED")
"""What it says when the memory of a device is full, in errors of several classes."""


def resolve_provider(name: str) -> tuple[str, dict[str, Any]]:
    """Provider and its options for the name of a device: cpu, cuda, cuda:N, tensorrt, coreml or dml.

    Raises:
        BackendUnavailable: This ONNX Runtime has no such provider; another is never taken instead.
    """
    kind, _, index = name.partition(":")
    if kind not in PROVIDERS or not (index.isdecimal() or index == ""):
        raise BackendUnavailable(
            f"ONNX Runtime has no device {name}",
            f"Say one of {', '.join(PROVIDERS)}, or use --backend torch.",
        )
    if kind not in list_devices():
        raise BackendUnavailable(
            f"this ONNX Runtime was not built for {kind}; it has {', '.join(list_devices())}",
            f"Use --provider cpu, or install the ONNX Runtime for {kind}, and no other: msdm doctor.",
        )
    return PROVIDERS[kind], ({"device_id": index} if index else {}) | (
        EXACT if kind == "cuda" else {}
    )


def list_devices() -> list[str]:
    """The devices that this ONNX Runtime was built for; whether they work is another question."""
    present = onnxruntime.get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider in present]


class OnnxDenoiser:
    """An exported network in a session of ONNX Runtime.

    Args:
        path: File that ``msdm weights export`` wrote.
        device: cpu, cuda, cuda:N, tensorrt, coreml or dml; auto is cuda where it works, else cpu.

    Attributes:
        device: Where it runs.
        precision: Of its learned part.

    Raises:
        BackendUnavailable: ONNX Runtime cannot load the network, or cannot run it there.
    """

    def __init__(self, path: Path, device: str = AUTO) -> None:
        wanted = (
            [name for name in ("cuda", "cpu") if name in list_devices()]
            if device == AUTO
            else [device]
        )
        providers = [resolve_provider(name) for name in wanted]
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4  # errors are raised; ours are two lines
        settings.enable_mem_pattern = (
            False  # planned ahead, it takes nearly twice the memory, and is not faster
        )
        told = (
            io.StringIO()
        )  # ONNX Runtime prints what it does not find; the standard output is for results
        try:
            with contextlib.redirect_stdout(told):
                if providers[0][0] != PROVIDERS["cpu"] and hasattr(onnxruntime, "preload_dlls"):
                    onnxruntime.preload_dlls()  # CUDA as pip installs it
                self._session = onnxruntime.InferenceSession(path, settings, providers)
        except FAILURES as error:
            raise BackendUnavailable(
                f"{path}: ONNX Runtime cannot load it ({_first_line(error)})",
                "Export it again: msdm weights export; or use --backend torch.",
            ) from error
        self._session.disable_fallback()
        taken = self._session.get_providers()[0]
        if taken not in dict(providers):
            missing = told.getvalue().partition("\n")[0]
            raise BackendUnavailable(
                f"ONNX Runtime fell back from {wanted[0]} to {taken}{missing and f': {missing}'}",
                "Install what it needs (CUDA, cuDNN): msdm doctor; or use --provider cpu.",
            )
        self.device = next(
            name for name, (provider, _) in zip(wanted, providers, strict=True) if provider == taken
        )
        self.takes_mixture = "mixture" in (given.name for given in self._session.get_inputs())
        properties = self._session.get_modelmeta().custom_metadata_map
        self.shares_sigma, self.precision = (
            properties.get(SHARES_SIGMA) == "1",
            properties.get(PRECISION, "fp32"),
        )

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

        Raises:
            DeviceFull: A single item does not fit into the device's memory.
            BackendUnavailable: ONNX Runtime fails.
        """
        return run_batch(
            self._run, x, sigma, mixture, singly=self.device.partition(":")[0] == "cpu"
        )

    def _run(self, x: Samples, sigma: Samples, mixture: Samples | None) -> Samples:
        inputs = {"x": x, "sigma": sigma}
        if self.takes_mixture:
            inputs["mixture"] = np.zeros_like(x[:, 0]) if mixture is None else mixture
            inputs["given"] = np.full(len(x), mixture is not None)
        feed = {name: np.require(value, np.float32, "C") for name, value in inputs.items()}
        try:
            return self._session.run(["denoised"], feed)[0]
        except FAILURES as error:
            full = any(words in str(error) for words in FULL)
            raise (DeviceFull if full else BackendUnavailable)(
                f"ONNX Runtime failed on {self.device}: {_first_line(error)}",
                "Use --device cpu or --backend torch, or free memory on the device.",
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
