"""Running a network with PyTorch."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from msdm_cli.backends.batches import run_batch
from msdm_cli.backends.cuda_graphs import GraphedForward
from msdm_cli.backends.runtime import AUTO
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import BackendUnavailable, DeviceFull
from msdm_cli.networks.network import Network

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
FULL = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""What PyTorch says when memory is full: on CUDA and MPS, on a CPU (on Windows), in cuBLAS and cuDNN."""


def resolve_device(name: str) -> torch.device:
    """The device of a name: auto, cpu, cuda, cuda:N or mps. Auto is the first of cuda, mps, cpu that is there.

    Raises:
        BackendUnavailable: It is not on this machine; another is never taken instead.
    """
    if name == AUTO:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BackendUnavailable(
            f"no device is called {name}", "Say auto, cpu, cuda, cuda:1 or mps."
        ) from error
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        raise BackendUnavailable(
            f"the device {name} is not available to PyTorch here", "Use --device auto or cpu."
        )
    return device


def multiplies_bf16() -> bool:
    """Whether the CPU is faster in bf16 than in fp32.

    Intel's with AVX512-BF16 but without AMX multiply both at one rate, and conversions come on top: a call takes 1.1 to
    1.3 times as long (``scripts/bench/precision.py``). AMD's multiply bf16 faster.
    """
    told: dict[str, Any] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # an older PyTorch has no such function
    slow = told.get("cpu_name", "").startswith("Intel") and not torch.cpu._is_amx_tile_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() and not slow)


def resolve_precision(name: str, device: torch.device) -> str:
    """The precision of a name; auto is bf16 where the device is fast at it, fp32 elsewhere.

    Raises:
        BackendUnavailable: The device cannot compute in it; another is never taken instead.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):  # it asks the current one
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:  # on other CPUs PyTorch computes bf16, but slower than fp32
        fast = device.type == "cpu" and multiplies_bf16()
    if name == AUTO:
        return "bf16" if fast else "fp32"
    if name == "bf16" and device.type == "cuda" and not fast:
        raise BackendUnavailable(
            f"{device} does not compute in bf16", "Use --precision fp16, fp32 or auto."
        )
    return name


def be_exact() -> None:
    """Have cuDNN give the same bits every time, and not round what is fp32 to TF32's 10 bits, as it does by default."""
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False


class TorchDenoiser:
    """A network on a device.

    Args:
        network: The network, with its weights.
        device: Where it runs.
        precision: Of its learned part: fp32, bf16 or fp16.
    """

    def __init__(self, network: Network, device: torch.device, precision: str = "fp32") -> None:
        self.device = device
        self.takes_mixture, self.shares_sigma = network.takes_mixture, network.shares_sigma
        network = network.to(device).eval().requires_grad_(False)
        if precision != "fp32":
            network.cast(DTYPES[precision])
        if device.type == "cuda":
            be_exact()
        # Convolutions over channels-last tensors are a fifth to two thirds faster on a CPU.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._forward = GraphedForward(self.network) if device.type == "cuda" else self.network

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

        Raises:
            DeviceFull: A single item does not fit into the device's memory.
            BackendUnavailable: PyTorch fails.
        """
        return run_batch(self._run, x, sigma, mixture, singly=self.device.type == "cpu")

    @torch.inference_mode()
    def _run(self, x: Samples, sigma: Samples, mixture: Samples | None) -> Samples:
        try:
            given = None if mixture is None else self._move(mixture)
            denoised: Tensor = self._forward(self._move(x), self._move(sigma), given)
            return denoised.cpu().numpy()
        except RuntimeError as error:
            told = str(error).splitlines()[0] if str(error) else type(error).__name__
            full = any(words in str(error) for words in FULL)
            raise (DeviceFull if full else BackendUnavailable)(
                f"PyTorch failed on {self.device}: {told}",
                "Use --device cpu, or free memory on the device.",
            ) from error

    def _move(self, samples: Samples) -> Tensor:
        """Samples on the device; from pinned memory, which a GPU reads by itself."""
        tensor = torch.from_numpy(np.require(samples, np.float32, ("C", "W")))
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)
