"""Damaged and invented checkpoints, those of Demucs too, and runs of our trainer."""

import functools
import io
import json
import pickletools
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from safetensors.torch import save

from msdm_cli.models.kinds import convert
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from scripts.fuzz.damage import Edit, change, damage, list_changes, list_some_edits, list_values

NAMES = (
    "to_time.0.0.weights",
    "model.unet.to_time.0.0.weights",
    "to_mapping.0.weight",
    "downsamples.0.downsample.weight",
    "upsamples.1.upsample.weight",
    "bottleneck.attention.fn.to_out.0.weight",
    "to_in.module_list.0.block.to_out.weight",
    "x.feed_forward.0.g",
)
SETTINGS = {
    "in_channels": 4,
    "channels": 32,
    "patch_factor": 4,
    "multipliers": [1, 2],
    "factors": [4],
    "num_blocks": [2],
    "attentions": [True],
    "attention_heads": 2,
    "learning_rate": 1e-4,
}
CONFIG: dict[str, Any] = {
    "stems": 4,
    "n_fft": 1024,
    "hop": 256,
    "bands": [[20, 4], [14, 8], [10, 16], [4, 40]],
    "frames_per_token": 2,
    "channels": [8, 16],
    "blocks": [1, 1],
    "attention_layers": 2,
    "heads": 2,
    "embedding": 16,
}
SEPARATOR: dict[str, Any] = {
    "sources": ["a", "b"],
    "segment": Fraction(3, 2),
    "samplerate": 8000,
    "channels": 4,
    "nfft": 256,
    "depth": 2,
    "dconv_comp": 2,
    "t_layers": 1,
    "t_heads": 2,
    "t_emb": "sin",
    "multi_freqs": [],
    "rescale": 0.1,
}
OPCODES = b"".join(code.code.encode("latin-1") for code in pickletools.opcodes)


def list_inputs() -> SearchStrategy[Any]:
    """A file of torch.save whose content, pickle and bytes are damaged; or a run."""
    tensors = st.dictionaries(st.sampled_from(NAMES), _list_tensors(), max_size=4)
    settings = st.one_of(
        list_changes().map(lambda changes: change(SETTINGS, changes)), list_values()
    )
    content = st.fixed_dictionaries({"state_dict": tensors, "hyper_parameters": settings})
    some = list_some_edits()
    opcodes = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(list(OPCODES))), max_size=4)
    checkpoint = st.tuples(st.just("checkpoint"), content, some, some, opcodes)
    arguments = list_changes().map(lambda changes: change(SEPARATOR, changes))
    package = st.fixed_dictionaries({"kwargs": st.one_of(arguments, list_values())})
    separator = st.tuples(st.just("separator"), package, some, some, opcodes)
    run = st.tuples(st.just("run"), list_changes(), some, some, st.just([]))
    return st.one_of(checkpoint, separator, run)


def _list_tensors() -> SearchStrategy[Any]:
    """Tensors of odd shapes and kinds, and what is none."""
    shapes = st.lists(st.integers(0, 8), max_size=4)
    kinds = st.sampled_from((torch.float32, torch.float16, torch.int64, torch.complex64))
    plain = st.builds(lambda shape, kind: torch.zeros(shape, dtype=kind), shapes, kinds)
    wide = st.builds(lambda size: torch.ones(1).expand(size), st.integers(1, 1 << 40))
    return st.one_of(plain, wide, list_values())


def read(damaged: Any, folder: Path) -> None:
    """Make a model of it.

    Raises:
        UnreadableCheckpoint: It makes none.
    """
    kind, content, inside, outside, opcodes = damaged
    if kind == "run":
        path = folder
        (folder / "config.json").write_bytes(
            damage(json.dumps(change(CONFIG, content)).encode(), inside)
        )
        (folder / "best.safetensors").write_bytes(damage(_save_run(), outside))
    else:
        path = folder / "a.ckpt"
        if kind == "separator":
            path = folder / "a.th"
            content = {**_make_separator(), **content}
        path.write_bytes(damage(_save_checkpoint(content, inside, opcodes), outside))
    tensors, spec = convert("some", [path])
    assert spec.stems
    for own in tensors.values():
        assert all(bool(value.isfinite().all()) for value in own.values())


def _save_checkpoint(content: Any, edits: list[Edit], opcodes: list[tuple[float, int]]) -> bytes:
    """A zip of torch.save whose checksums fit, around a pickle that was damaged."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    target = io.BytesIO()
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            record = source.read(name)
            if name.endswith("data.pkl"):
                pickled = bytearray(damage(record, edits))
                for place, code in opcodes:
                    if pickled:
                        pickled[int(place * (len(pickled) - 1))] = code
                record = bytes(pickled)
            archive.writestr(name, record)
    return target.getvalue()


@functools.cache
def _make_separator() -> dict[str, Any]:
    """Class and weights of a small network of Demucs; none where that is not installed."""
    try:
        from demucs.htdemucs import HTDemucs
    except ImportError:
        return {}
    return {"klass": HTDemucs, "state": HTDemucs(**SEPARATOR).half().state_dict()}


@functools.cache
def _save_run() -> bytes:
    """The weights of a small network."""
    return save(StftUnet(StftUnetConfig(**CONFIG)).state_dict())
