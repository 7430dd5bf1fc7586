"""Running a network with PyTorch."""

import numpy as np
import torch
from torch import Tensor

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import BackendUnavailable
from msdm_cli.models.networks import Network
from msdm_cli.models.runtime import AUTO

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


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
        raise BackendUnavailable(f"no device is called {name}", "Say auto, cpu, cuda, cuda:1 or mps.") from error
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        raise BackendUnavailable(f"the device {name} is not available to PyTorch here", "Use --device auto or cpu.")
    return device


def resolve_precision(name: str, device: torch.device) -> str:
    """The precision of a name; auto is bf16 where the device multiplies it in hardware, fp32 elsewhere.

    Raises:
        BackendUnavailable: The device cannot compute in it; another is never taken instead.
    """
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:  # AMX tiles; on other CPUs PyTorch computes bf16, but slower than fp32
        fast = device.type == "cpu" and torch.cpu._is_amx_tile_supported()
    if name == AUTO:
        return "bf16" if fast else "fp32"
    if name == "bf16" and device.type == "cuda" and not fast:
        raise BackendUnavailable(f"{device} does not compute in bf16", "Use --precision fp16, fp32 or auto.")
    return name


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
        # Convolutions over channels-last tensors are a fifth to two thirds faster on a CPU.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems, ``[B, S, T], [B, S], [B, T] -> [B, S, T]``.

        A batch that does not fit into the device's memory is halved.

        Raises:
            BackendUnavailable: PyTorch fails, as when a single item does not fit.
        """
        try:
            given = None if mixture is None else self._move(mixture)
            denoised: Tensor = self.network(self._move(x), self._move(sigma), given)
            return denoised.cpu().numpy()
        except torch.OutOfMemoryError as error:
            if len(x) == 1:
                raise self._failed(error) from error
        except RuntimeError as error:
            raise self._failed(error) from error
        # Not inside the handler: it holds on to what the failed call has taken.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        half = [(len(x) + 1) // 2]
        mixtures = (None, None) if mixture is None else np.split(mixture, half)
        halves = zip(np.split(x, half), np.split(sigma, half), mixtures, strict=True)
        return np.concatenate([self(*part) for part in halves])

    def _move(self, samples: Samples) -> Tensor:
        """Samples on the device; from pinned memory, which a GPU reads by itself."""
        tensor = torch.from_numpy(np.require(samples, np.float32, ("C", "W")))
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def _failed(self, error: RuntimeError) -> BackendUnavailable:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return BackendUnavailable(
            f"PyTorch failed on {self.device}: {reason}", "Use --device cpu, or free memory on the device."
        )
