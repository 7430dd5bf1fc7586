"""Reading checkpoints without running code that they contain.

A Lightning checkpoint of the authors is a pickle. PyTorch's restricted unpickler reads it: it
builds tensors, containers and numbers, and refuses every other name. The hyper-parameters of the
authors' files contain a few more names: the distribution of sigma, and lists of OmegaConf. Those
are not looked up either. Each becomes a ``_Shell``, which keeps its state and does nothing.

A run of our trainer is a JSON file and a safetensors file.
"""

import json
import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from msdm_cli.errors import UnreadableCheckpoint
from msdm_cli.models.hyper_parameters import read_config

PREFIXES = ("model.unet.", "model.diffusion.net.", "unet.", "")
"""Prefixes of the network's tensors in a checkpoint; those of the authors contain them twice."""

RENAMED = (
    (r"^to_time\.0\.0\.weights$", "frequencies"),
    (r"^to_time\.0\.1\.", "time."),
    (r"^to_mapping\.0\.", "mapping.0."),
    (r"^to_mapping\.2\.", "mapping.1."),
    (r"^to_in\.module_list\.0\.block\.", "patch."),
    (r"^to_out\.module_list\.0\.block\.", "unpatch."),
    (r"^downsamples\.(\d+)\.downsample\.", r"down.\1.shorten."),
    (r"^downsamples\.", "down."),
    (r"^upsamples\.(\d+)\.upsample\.", r"up.\1.lengthen."),
    (r"^upsamples\.", "up."),
    (r"^bottleneck\.pre_block\.", "bottom_in."),
    (r"^bottleneck\.attention\.fn\.", "bottom_attention."),
    (r"^bottleneck\.post_block\.", "bottom_out."),
    (r"\.attention\.fn\.", ".attention."),
    (r"attention\.attention\.to_out\.0\.", "attention.out."),
    (r"attention\.attention\.to_out\.1\.g$", "attention.norm_out.weight"),
    (r"attention\.norm\.g$", "attention.norm.weight"),
    (r"attention\.to_q\.", "attention.query."),
    (r"attention\.to_kv\.", "attention.key_value."),
    (r"\.feed_forward\.(\d)\.(g|weight)$", r".feed.\1.weight"),
    (r"\.block1\.groupnorm\.", ".norm_in."),
    (r"\.block1\.project\.", ".conv_in."),
    (r"\.block2\.groupnorm\.", ".norm_out."),
    (r"\.block2\.project\.", ".conv_out."),
    (r"\.to_scale_shift\.to_scale_shift\.1\.", ".modulation."),
    (r"\.to_out\.(weight|bias)$", r".skip.\1"),
    (r"^((?:un)?patch)\.to_out\.", r"\1.skip."),
)
"""From names of ``audio_diffusion_pytorch`` 0.0.43 to ours, applied in order."""

UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    OSError,
    AssertionError,
    struct.error,
    StopIteration,
)
"""Errors of PyTorch's unpickler for a damaged file or an unexpected one."""

SHELLED = ("audio_diffusion_pytorch.", "collections.", "omegaconf.", "typing.")
"""Prefixes of the names that become shells."""

SHELLED_BUILTINS = tuple(
    f"builtins.{kind}" for kind in ("bool", "dict", "float", "int", "list", "str", "tuple")
)


class _Shell:
    """Stands for an object of the authors; it keeps its state and does nothing."""

    def __init__(self, *arguments: object, **options: object) -> None:
        self.state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        pass


def _plain(value: Any) -> Any:
    """The value inside a shell of OmegaConf, or the value itself."""
    if not isinstance(value, _Shell):
        return value
    state = value.state if isinstance(value.state, dict) else {}
    if "_content" in state:
        return [_plain(item) for item in state["_content"]]
    return state.get("_val")


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a Lightning checkpoint of the paper's network.

    Args:
        path: A ``.ckpt`` file. Its tensors stay on the disk until they are used.

    Returns:
        The tensors of ``Unet1d`` by name, and the fields of its config that the file states.

    Raises:
        UnreadableCheckpoint: It is not such a file, contains what only running code could build, or
            states hyper-parameters that are not computed.
    """
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        shells: list[Any] = [
            (_Shell, name) for name in names if name.startswith((*SHELLED, *SHELLED_BUILTINS))
        ]
        with torch.serialization.safe_globals(shells), warnings.catch_warnings():
            # PyTorch warns of its own classes while it refuses damaged files.
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        state = loaded["state_dict"]
        prefix = next(prefix for prefix in PREFIXES if f"{prefix}to_time.0.0.weights" in state)
        settings = loaded.get("hyper_parameters", {})
        config = read_config({name: _plain(value) for name, value in settings.items()})
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableCheckpoint(
            f"{path}: not a checkpoint of the paper's network ({reason})",
            "Import a Lightning checkpoint of MSDM, or the tar that its authors offer.",
        ) from error
    network = {
        name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)
    }
    return rename_tensors(network), config


def load_run(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the best weights of a run of our trainer, and the config of its network.

    Raises:
        UnreadableCheckpoint: The folder is not that of a run.
    """
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return load_file(folder / "best.safetensors"), config
    except (OSError, ValueError, SafetensorError) as error:
        raise UnreadableCheckpoint(
            f"{folder}: not the folder of a training run ({error})",
            "Choose the folder that the trainer wrote.",
        ) from error


def rename_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of ``audio_diffusion_pytorch``'s ``UNet1d`` under the names of ``Unet1d``.

    It counts its levels upwards from the lowest; ours, like those downwards, count from the top.
    Its feed-forward layers are convolutions over one position; ours are linear layers.
    """
    top = max(
        (int(name.split(".")[1]) for name in state if name.startswith("upsamples.")), default=0
    )
    renamed = {}
    for name, value in state.items():
        new = name
        for pattern, replacement in RENAMED:
            new = re.sub(pattern, replacement, new)
        new = re.sub(r"^up\.(\d+)", lambda match: f"up.{top - int(match[1])}", new)
        renamed[new] = _reshape(new, value)
    return renamed


def _reshape(name: str, value: Tensor) -> Tensor:
    """A tensor in the layout of our layers (``msdm_cli.networks.row_layers``)."""
    if ".feed." in name:
        return value.flatten() if value.shape[0] == 1 else value.squeeze(-1)
    if name.endswith((".conv_in.weight", ".conv_out.weight", ".shorten.weight")):
        return value.permute(2, 1, 0)
    if name.endswith(".lengthen.weight"):
        # A level that does not lengthen has a convolution of 3 taps there; the others have an even
        # number.
        if value.shape[2] == 3:
            return value.permute(2, 1, 0)
        return torch.unflatten(value, 2, (2, -1)).permute(2, 0, 3, 1)
    return value.squeeze(-1) if name.endswith(".skip.weight") else value
