"""Running an exported network with ONNX Runtime."""

import contextlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np

# From 1.29 on it writes a device id and a database into the home folder, and asks a server of
# Microsoft for a connection. It reads this when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from msdm_cli.backends.batches import run_in_parts
from msdm_cli.backends.runtime import AUTO
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import BackendUnavailable, DeviceFull

SHARES_SIGMA = "shares_sigma"
"""Property of a graph: 1 if all stems have the same noise level, else 0."""

PRECISION = "precision"
"""Property of a graph: fp32 or fp16."""

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "dml": "DmlExecutionProvider",
}

EXACT = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
"""Options of CUDA for the same bits every time.

By default each process measures which convolution is fastest, and rounds fp32 to the 10 bits of
TF32.
"""

FATAL = 4
"""Severity of the log. ONNX Runtime raises what fails, so its log would only repeat it."""

onnxruntime.set_default_logger_severity(FATAL)

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
"""The errors of ONNX Runtime, which have no common base."""

FULL = ("Failed to allocate memory", "out of memory", "bad_alloc", "ALLOC_FAILED")
"""What its errors say when the memory of a device is full; they are of several classes."""


def resolve_provider(name: str) -> tuple[str, dict[str, Any]]:
    """Provider and options of a device: cpu, cuda, cuda:N, tensorrt, coreml or dml.

    Raises:
        BackendUnavailable: This ONNX Runtime has no such provider. No other is taken instead.
    """
    kind, _, index = name.partition(":")
    if kind not in PROVIDERS or not (index.isdecimal() or index == ""):
        raise BackendUnavailable(
            f"ONNX Runtime has no device {name}",
            f"Choose one of {', '.join(PROVIDERS)}, or the backend torch.",
        )
    if kind not in list_devices():
        raise BackendUnavailable(
            f"this ONNX Runtime was not built for {kind}; it has {', '.join(list_devices())}",
            f"Choose the device cpu, or install the ONNX Runtime for {kind} and no other.",
        )
    options = {"device_id": index} if index else {}
    return PROVIDERS[kind], options | (EXACT if kind == "cuda" else {})


def list_devices() -> list[str]:
    """The devices that this ONNX Runtime was built for, whether or not this machine has them."""
    present = onnxruntime.get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider in present]


class OnnxDenoiser:
    """An exported network in a session of ONNX Runtime.

    Args:
        path: The exported graph.
        device: cpu, cuda, cuda:N, tensorrt, coreml or dml; auto is cuda where it works, else cpu.
        threads: Threads on a CPU; 0 is one for each core.

    Attributes:
        device: Where it runs.
        precision: Precision of its learned part.

    Raises:
        BackendUnavailable: ONNX Runtime cannot load the network, or cannot run it there.
    """

    def __init__(self, path: Path, device: str = AUTO, threads: int = 0) -> None:
        wanted = [device]
        if device == AUTO:
            wanted = [name for name in ("cuda", "cpu") if name in list_devices()]
        self._session, self.device = _open_session(path, wanted, threads)
        self.takes_mixture = "mixture" in (item.name for item in self._session.get_inputs())
        properties = self._session.get_modelmeta().custom_metadata_map
        self.shares_sigma = properties.get(SHARES_SIGMA) == "1"
        self.precision = properties.get(PRECISION, "fp32")

    def __call__(
        self,
        x: Samples,
        sigma: Samples,
        mixture: Samples | None = None,
        told: Samples | None = None,
    ) -> Samples:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

        What else the network is told, ``[B, ...]``, is known to its architecture.

        Raises:
            DeviceFull: A single item does not fit into the device's memory.
            BackendUnavailable: ONNX Runtime fails.
        """
        return run_in_parts(
            self._run, x, sigma, mixture, told, singly=self.device.partition(":")[0] == "cpu"
        )

    def _run(self, x: Samples, sigma: Samples, *others: Samples | None) -> Samples:
        mixture, told = others
        inputs = {"x": x, "sigma": sigma}
        if told is not None:
            inputs["told"] = told
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
                "Choose the device cpu or the backend torch, or free memory on the device.",
            ) from error


def _open_session(path: Path, wanted: list[str], threads: int) -> tuple[Any, str]:
    """A session on the first wanted device that works, and that device.

    Raises:
        BackendUnavailable: ONNX Runtime cannot load the graph, or none of the devices works.
    """
    providers = [resolve_provider(name) for name in wanted]
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = FATAL
    settings.intra_op_num_threads = threads
    # Planning the memory ahead takes nearly twice as much of it, and is not faster.
    settings.enable_mem_pattern = False
    # ONNX Runtime prints which libraries it does not find; the standard output is for results.
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            if providers[0][0] != PROVIDERS["cpu"] and hasattr(onnxruntime, "preload_dlls"):
                onnxruntime.preload_dlls()  # the libraries of CUDA that pip installs
            session = onnxruntime.InferenceSession(path, settings, providers)
    except FAILURES as error:
        raise BackendUnavailable(
            f"{path}: ONNX Runtime cannot load it ({_first_line(error)})",
            "Export the model again, or choose the backend torch.",
        ) from error
    session.disable_fallback()
    taken = session.get_providers()[0]
    for name, (provider, _) in zip(wanted, providers, strict=True):
        if provider == taken:
            return session, name
    missing = printed.getvalue().partition("\n")[0]
    raise BackendUnavailable(
        f"ONNX Runtime fell back from {wanted[0]} to {taken}{missing and f': {missing}'}",
        "Install the CUDA and cuDNN that it needs, or choose the device cpu.",
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
