"""Checkpoints of the package ``demucs``, read without running code in them.

Its authors offer pickles that name the class of the network, its arguments, and its tensors in half
precision (``.th``), and the same as safetensors with the names in the header. Nothing of a pickle
is looked up: the class and the fractions in it become ``_Shell``, which keeps what it was given.

Source: ``demucs/states.py`` and ``demucs/hf.py`` of version 4.1.0.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from msdm_cli.diffusion.moved import SLOWNESS
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import UnreadableCheckpoint
from msdm_cli.models.checkpoint import SHELLED, UNFIT, check_tensors, check_type
from msdm_cli.models.registry import CHECKPOINT
from msdm_cli.models.safe_pickle import load_pickled
from msdm_cli.models.spec import ModelSpec, Stage
from msdm_cli.networks.demucs import (
    SIGMA_UNKNOWN,
    DemucsConfig,
    find_chunk_length,
    import_separator,
)
from msdm_cli.small_files import check_regular

CLASS = "demucs.htdemucs.HTDemucs"
TENSORS = ".safetensors"

CONTEXT_SECONDS = 0.75
"""At either end of a chunk of 7 s: a tenth of it. In Demucs, neighbours overlap by a quarter."""

GIBBS_STEPS = 512
"""Of the table in the paper of MSDM (arXiv 2302.02257, table 3)."""

ARGUMENTS = ("sources", "samplerate", "segment", "audio_channels")
"""Arguments of the class that are no settings."""

FRACTION = re.compile(r"(\d{1,9})(?:/(\d{1,9}))?")


class _Shell:
    """Stands for a class or an object of the authors; it keeps what it was given."""

    asked = ""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def __setstate__(self, state: object) -> None:
        pass


def is_demucs(path: Path) -> bool:
    """Whether a file is called as Demucs' checkpoints are."""
    return path.suffix in (CHECKPOINT, TENSORS) and path.is_file()


def load_demucs(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint of Hybrid Transformer Demucs.

    Returns:
        Its tensors by name, and the arguments of its class in plain types; ``segment`` is a pair.

    Raises:
        UnreadableCheckpoint: It is not such a file, or contains what only running code could build.
    """
    read: Callable[[Path], tuple[Any, Any, Any]] = (
        _read_pickle if path.suffix == CHECKPOINT else _read_header
    )
    try:
        check_regular(path)
        name, arguments, state = read(path)
        if name != CLASS:
            raise ValueError(f"it is of {str(name)[:100]}, expected {CLASS}")
        tensors = check_type(state, dict, "state")
        if "__quantized" in tensors:
            raise ValueError("its tensors are quantised")
        check_tensors(tensors, path.stat().st_size)
        return tensors, check_type(arguments, dict, "kwargs")
    except (OSError, SafetensorError, msgspec.MsgspecError, RecursionError, *UNFIT) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableCheckpoint(
            f"{path}: not a checkpoint of Hybrid Transformer Demucs ({reason})",
            "Import htdemucs (955717e8-8726e21a.th) or htdemucs_6s (5c90dfd2-34c22ccb.th).",
        ) from error


def _read_pickle(path: Path) -> tuple[Any, Any, Any]:
    """Name of the class, its arguments, and the tensors."""
    package = check_type(
        load_pickled(path, _Shell, ("demucs.", "fractions.Fraction", *SHELLED)), dict, "content"
    )
    named = check_type(package.get("klass"), type, "klass")
    arguments = check_type(package.get("kwargs"), dict, "kwargs")
    plain = {str(key): _make_plain(value) for key, value in arguments.items()}
    return getattr(named, "asked", ""), plain, package.get("state")


def _make_plain(value: Any) -> Any:
    """A value of an argument; a fraction is a pair."""
    if isinstance(value, _Shell):
        # Older versions of Python store its text, newer ones two numbers.
        match = FRACTION.fullmatch("/".join(map(str, value.arguments)))
        if match is None or value.asked != "fractions.Fraction":
            raise ValueError(f"an argument is a {value.asked[:100]}")
        return int(match[1]), int(match[2] or 1)
    return value


def _read_header(path: Path) -> tuple[Any, Any, Any]:
    """Name of the class, its arguments, and the tensors, of a file of safetensors."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
    if "structure" in header:
        raise ValueError("its tensors are quantised")
    arguments = msgspec.json.decode(header.get("kwargs", "null"))
    for key, value in check_type(arguments, dict, "kwargs").items():
        if isinstance(value, dict):
            arguments[key] = int(value["numerator"]), int(value["denominator"])
    return header.get("klass"), arguments, load_file(path)


def describe_demucs(
    name: str, tensors: Mapping[str, Tensor], arguments: Mapping[str, Any]
) -> tuple[dict[str, Tensor], ModelSpec]:
    """Tensors under the names of our network, and the spec.

    Args:
        name: Name of the model.
        tensors: As Demucs names them.
        arguments: Of its class.

    Raises:
        MissingPackage: The package is not installed.
        ValueError, TypeError, LookupError: They describe no Demucs.
    """
    sources = arguments["sources"]
    fields = _list_fields(sources, arguments)
    config = msgspec.convert(fields, DemucsConfig)
    length = find_chunk_length(config, max(SLOWNESS))
    spec = ModelSpec(
        name=name,
        stems=tuple(sources),
        sample_rate=config.sample_rate,
        chunk_length=length,
        context=min(int(CONTEXT_SECONDS * config.sample_rate), length // 8),
        length_multiple=config.length_multiple,
        sigma_max=SIGMA_UNKNOWN,
        stages=(Stage("demucs", fields, "waveform", {"separate": _list_presets()}),),
    )
    return {f"separator.{key}": value for key, value in tensors.items()}, spec


def _list_fields(sources: Sequence[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of our config, as they come back from the file of a spec."""
    if arguments.get("audio_channels", 2) != 2:
        raise ValueError(f"it has {arguments['audio_channels']} channels, expected 2")
    known = inspect.signature(import_separator()).parameters
    # As the package does: what this version of it does not know is left out.
    settings = {
        key: value for key, value in arguments.items() if key in known and key not in ARGUMENTS
    }
    segment = arguments.get("segment", 10)
    return {
        "stems": len(sources),
        "sample_rate": arguments.get("samplerate", 44100),
        "segment": segment if isinstance(segment, tuple) else Fraction(segment).as_integer_ratio(),
        "settings": json.loads(json.dumps(settings)),
    }


def _list_presets() -> dict[str, Preset]:
    """Settings by quality, and the paper's."""
    answers = {
        quality: {"sampler": "regression", "estimates": estimates, "sigma_max": SIGMA_UNKNOWN}
        for quality, estimates in (("fast", 1), ("default", 1), ("best", 3))
    }
    gibbs = {"sampler": "gibbs", "num_steps": GIBBS_STEPS}
    return {name: Preset.from_json(fields) for name, fields in {**answers, "gibbs": gibbs}.items()}
