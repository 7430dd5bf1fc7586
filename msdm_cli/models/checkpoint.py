"""Reading checkpoints without running code that they contain.

A Lightning checkpoint of the authors is a pickle. PyTorch's restricted unpickler reads it: it
builds tensors, containers and numbers, and refuses every other name. The hyper-parameters of the
authors' files contain a few more names: the distribution of sigma, and lists of OmegaConf. Those
are not looked up either. Each becomes a ``_Shell``, which keeps its state and does nothing.

A run of our trainer is a JSON file and a safetensors file.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from msdm_cli.errors import UnreadableCheckpoint
from msdm_cli.models.hyper_parameters import read_config
from msdm_cli.models.safe_pickle import load_pickled
from msdm_cli.small_files import check_regular, read_small

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

SHELLED = (
    "audio_diffusion_pytorch.",
    "collections.",
    "omegaconf.",
    "typing.",
    *(f"builtins.{kind}" for kind in ("bool", "dict", "float", "int", "list", "str", "tuple")),
)
"""How the names begin that become shells."""

WEIGHTS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
"""What weights may be stored as."""

MOST_SETTINGS = 1000
"""Values among the hyper-parameters, those in lists counted one by one."""


UNFIT = (RuntimeError, LookupError, AttributeError, TypeError, ValueError)
"""Errors of a checkpoint of something else."""


class _Shell:
    """Stands for an object of the authors; it keeps its state and does nothing."""

    def __init__(self, *arguments: object, **options: object) -> None:
        self.state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        pass


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
    if not path.exists():
        raise UnreadableCheckpoint(f"{path}: no such file or directory", "Check the name.")
    try:
        loaded = check_type(load_pickled(path, _Shell, SHELLED), dict, "content")
        network = _find_network(check_type(loaded.get("state_dict"), dict, "state_dict"))
        check_tensors(network, path.stat().st_size)
        settings = check_type(loaded.get("hyper_parameters", {}), dict, "hyper_parameters")
        return rename_tensors(network), read_config(_read_settings(settings))
    except (OSError, *UNFIT) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableCheckpoint(
            f"{path}: not a checkpoint of the paper's network ({reason})",
            "Import a Lightning checkpoint of MSDM, or the tar that its authors offer.",
        ) from error


def check_type(value: Any, kind: type[Any], name: str) -> Any:
    """The value, if it is of the right type.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, kind):
        raise TypeError(f"its {name} is a {type(value).__name__}, expected a {kind.__name__}")
    return value


def _find_network(state: Mapping[Any, Any]) -> dict[str, Tensor]:
    """The tensors of the network among all of a checkpoint, by their names in it."""
    for prefix in PREFIXES:
        if f"{prefix}to_time.0.0.weights" in state:
            return {
                name[len(prefix) :]: value
                for name, value in state.items()
                if isinstance(name, str) and name.startswith(prefix)
            }
    raise LookupError("its state_dict has no to_time.0.0.weights")


def check_tensors(network: Mapping[str, Any], size_bytes: int) -> None:
    """Refuse what is no plain tensor, and tensors larger than the file that they come from.

    A view can repeat one number a billion times, which costs nothing until it is used.

    Raises:
        TypeError, ValueError: There are such tensors.
    """
    total = 0
    for name, value in network.items():
        plain = type(value) in (Tensor, torch.nn.Parameter) and value.layout == torch.strided
        if not (plain and value.device.type == "cpu" and value.dtype in WEIGHTS):
            raise TypeError(f"its {name[:80]} is no plain tensor of weights")
        total += value.numel() * value.element_size()
    if total > size_bytes:
        raise ValueError(f"its tensors have {total} bytes, the file {size_bytes}")


def _read_settings(settings: Mapping[Any, Any]) -> dict[str, Any]:
    """Hyper-parameters in plain types."""
    left = MOST_SETTINGS

    def read(value: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"it has more than {MOST_SETTINGS} hyper-parameters")
        if isinstance(value, _Shell):  # of OmegaConf, or an object that is not needed
            state = value.state if isinstance(value.state, dict) else {}
            return read(state["_content"] if "_content" in state else state.get("_val"))
        if isinstance(value, list | tuple):
            return [read(item) for item in value]
        plain = value is None or type(value) in (bool, int, float, str)
        return value if plain else type(value)

    return {str(name): read(value) for name, value in settings.items()}


def load_run(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the best weights of a run of our trainer, and the config of its network.

    Raises:
        UnreadableCheckpoint: The folder is not that of a run.
    """
    weights = folder / "best.safetensors"
    try:
        config = msgspec.json.decode(read_small(folder / "config.json"), type=dict[str, Any])
        check_regular(weights)
        tensors = load_file(weights)
        check_tensors(tensors, weights.stat().st_size)
    except (OSError, SafetensorError, *UNFIT) as error:
        raise UnreadableCheckpoint(
            f"{folder}: not the folder of a training run ({error})",
            "Choose the folder that the trainer wrote.",
        ) from error
    return tensors, config


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
