"""Running a network with PyTorch."""

import numpy as np
import torch
from torch import Tensor

from msdm_cli.backends.batches import run_in_parts
from msdm_cli.backends.cuda_graphs import GraphedForward
from msdm_cli.backends.runtime import AUTO
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import BackendUnavailable, DeviceFull
from msdm_cli.networks.network import Network

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
FULL = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""What PyTorch's errors say when memory is full: on CUDA and MPS, on a CPU, in cuBLAS and cuDNN."""


def resolve_device(name: str) -> torch.device:
    """The device of a name: auto, cpu, cuda, cuda:N or mps.

    Auto is the first of cuda, mps and cpu that this machine has.

    Raises:
        BackendUnavailable: This machine has no such device. No other is taken instead.
    """
    if name == AUTO:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BackendUnavailable(
            f"no device is called {name}", "Choose auto, cpu, cuda, cuda:1 or mps."
        ) from error
    present = {
        "cpu": not device.index,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        raise BackendUnavailable(
            f"the device {name} is not available to PyTorch here", "Choose the device auto or cpu."
        )
    return device


def multiplies_bf16() -> bool:
    """Whether the CPU is faster in bf16 than in fp32.

    Processors of Intel with AVX512-BF16 but without AMX multiply both equally fast, and must
    convert as well: a call takes 1.1 to 1.3 times as long (``scripts/bench/precision.py``). Those
    of AMD multiply bf16 faster.
    """
    if not torch.cpu._is_avx512_bf16_supported():
        return False
    # Older versions of PyTorch do not have this function.
    capabilities: dict[str, str] = getattr(torch.cpu, "get_capabilities", dict)()
    is_intel = capabilities.get("cpu_name", "").startswith("Intel")
    return bool(torch.cpu._is_amx_tile_supported() or not is_intel)


def resolve_precision(name: str, device: torch.device) -> str:
    """The precision of a name; auto is bf16 where the device is fast at it, fp32 elsewhere.

    Raises:
        BackendUnavailable: The device cannot compute in it. No other is taken instead.
    """
    if device.type == "cuda":
        # The question is about the current device.
        with torch.cuda.device(device):
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and multiplies_bf16()
    if name == AUTO:
        return "bf16" if fast else "fp32"
    if name == "bf16" and device.type == "cuda" and not fast:
        raise BackendUnavailable(
            f"{device} does not compute in bf16", "Choose the precision fp16, fp32 or auto."
        )
    return name


def name_device(name: str) -> str:
    """The name of a GPU, as its driver gives it; that of the device where there is none."""
    return torch.cuda.get_device_name(name) if torch.cuda.is_available() else name


def set_threads(count: int) -> int:
    """Set the number of threads that PyTorch computes with, in the whole process.

    Args:
        count: The number; 0 to leave it as it is.

    Returns:
        The number that it computes with.
    """
    if count:
        torch.set_num_threads(count)
    return torch.get_num_threads()


def make_cudnn_exact() -> None:
    """Make cuDNN give the same bits every time, and keep fp32.

    By default it rounds fp32 to the 10 bits of TF32.
    """
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False


class TorchDenoiser:
    """A network on a device.

    Args:
        network: The network, with its weights.
        device: Where it runs.
        precision: Precision of its learned part: fp32, bf16 or fp16.
    """

    def __init__(self, network: Network, device: torch.device, precision: str = "fp32") -> None:
        self.device = device
        self.takes_mixture = network.takes_mixture
        self.shares_sigma = network.shares_sigma
        self._together = network.channels
        network = network.to(device).eval().requires_grad_(False)
        if precision != "fp32":
            network.cast(DTYPES[precision])
        if device.type == "cuda":
            make_cudnn_exact()
        # Convolutions on channels-last tensors are 1.2 to 1.7 times as fast on a CPU.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._forward = GraphedForward(self.network) if device.type == "cuda" else self.network

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
            BackendUnavailable: PyTorch fails.
        """
        inputs = (mixture,) if told is None else (mixture, told)
        singly = self.device.type == "cpu"
        return run_in_parts(self._run, x, sigma, *inputs, singly=singly, together=self._together)

    @torch.inference_mode()
    def _run(self, *inputs: Samples | None) -> Samples:
        # OpenMP keeps the number of threads for each thread. Asking for it sets it in this one.
        torch.get_num_threads()
        try:
            moved = [None if samples is None else self._move(samples) for samples in inputs]
            denoised: Tensor = self._forward(*moved)
            return denoised.cpu().numpy()
        except RuntimeError as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            full = any(words in str(error) for words in FULL)
            raise (DeviceFull if full else BackendUnavailable)(
                f"PyTorch failed on {self.device}: {reason}",
                "Choose the device cpu, or free memory on the device.",
            ) from error

    def _move(self, samples: Samples) -> Tensor:
        """Samples on the device; a GPU reads them from pinned memory without the CPU."""
        tensor = torch.from_numpy(np.require(samples, np.float32, ("C", "W")))
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)
