"""Checkpoints of the package demucs, read without running code in them."""

import json
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from small_demucs import SAMPLE_RATE, SEGMENT, STEMS, make_separator, serialize, write_demucs

from msdm_cli.backends.runtime import Runtime
from msdm_cli.errors import MissingPackage, MissingTask, UnreadableCheckpoint
from msdm_cli.models.adopt import adopt_checkpoints
from msdm_cli.models.demucs_checkpoint import is_demucs, load_demucs
from msdm_cli.models.load import load

HALF = 1e-3  # weights are stored in half precision, of 11 bits
CPU = Runtime(device="cpu", precision="fp32")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_safetensors(path, changed=None):
    """A checkpoint as the package's ``tools/export_hf.py`` writes it."""
    package = serialize(make_separator())
    arguments = package["kwargs"] | {"segment": encode(SEGMENT)}
    header = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": "[]",
        "kwargs": json.dumps(arguments),
    }
    save_file(package["state"], path, header | (changed or {}))


def encode(value):
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}


def adopt(path):
    adopt_checkpoints("mine", [path], "for a test", "none")
    return load("mine", CPU)


def separate(model, mixture):
    """What the network hears, without the rest that is divided."""
    with torch.inference_mode():
        return model.denoisers[0].network._separate(mixture)


@pytest.mark.parametrize("stems", [STEMS[:4], STEMS])
def test_a_checkpoint_gives_what_the_package_makes_of_it(tmp_path, stems):
    write_demucs(tmp_path / "a.th", stems)
    model = adopt(tmp_path / "a.th")
    from demucs.states import load_model

    theirs = load_model(tmp_path / "a.th", strict=True).eval()
    assert model.spec.stems == tuple(theirs.sources) == stems
    assert model.spec.sample_rate == theirs.samplerate
    mixture = 0.1 * torch.randn(2, model.spec.chunk_length)
    with torch.inference_mode():
        expected = theirs(mixture[None])[0].transpose(0, 1)
    torch.testing.assert_close(separate(model, mixture), expected, atol=1e-6, rtol=1e-4)


def test_safetensors_hold_the_same_network(tmp_path):
    write_safetensors(tmp_path / "a.safetensors")
    write_demucs(tmp_path / "a.th")
    found, arguments = load_demucs(tmp_path / "a.safetensors")
    expected, others = load_demucs(tmp_path / "a.th")
    assert arguments == others
    assert arguments["segment"] == SEGMENT.as_integer_ratio()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_the_package_reads_such_safetensors(tmp_path):
    write_safetensors(tmp_path / "a.safetensors")
    from demucs.hf import load_safetensors_model

    assert load_safetensors_model(tmp_path / "a.safetensors").segment == SEGMENT


def test_it_separates_in_one_call_and_does_nothing_else(tmp_path):
    write_demucs(tmp_path / "a.th")
    spec = adopt(tmp_path / "a.th").spec
    calls = {name: preset.calls for name, preset in spec.list_presets("separate").items()}
    assert calls == {"fast": 1, "default": 1, "best": 3, "gibbs": 513}
    for task in ("impute", "generate"):
        with pytest.raises(MissingTask):
            spec.preset(task, "default")


def test_chunks_fit_into_what_it_was_trained_on(tmp_path):
    write_demucs(tmp_path / "a.th")
    model = adopt(tmp_path / "a.th")
    spec = model.spec
    assert spec.chunk_length <= SEGMENT * SAMPLE_RATE
    slower = round(spec.chunk_length / spec.length_multiple * 1.06) * spec.length_multiple
    x = np.zeros((2, len(STEMS), slower), np.float32)
    found = model.choose(0)(x, np.ones(x.shape[:2], np.float32), x[:, 0] + 0.1)
    assert found.shape == x.shape


def refuse(path, reason):
    with pytest.raises(UnreadableCheckpoint, match=reason) as raised:
        adopt_checkpoints("mine", [path], "for a test", "none")
    assert str(path) in raised.value.message


class Danger:
    def __reduce__(self):
        return print, ("code of a checkpoint runs",)


def test_code_in_a_checkpoint_does_not_run(tmp_path, capsys):
    package = serialize(make_separator())
    torch.save(package | {"training_args": Danger()}, tmp_path / "a.th")
    refuse(tmp_path / "a.th", "it asks for builtins.print")
    assert "runs" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"klass": Fraction}, "it is of fractions.Fraction"),
        ({"klass": "HTDemucs"}, "its klass is a str"),
        ({"kwargs": None}, "its kwargs is a NoneType"),
        ({"state": {"__quantized": True}}, "quantised"),
        ({"state": [1]}, "its state is a list"),
        ({"state": {"a": 1}}, "no plain tensor"),
        ({"kwargs": {"sources": ["a", "b"]}}, "not make a model"),
        ({"kwargs": {}}, "not make a model"),
        ({"kwargs": {"sources": ["../a"]}}, "not make a model"),
        ({"kwargs": {"sources": ["a"], "depth": 1 << 15}}, "not make a model"),
        ({"kwargs": {"sources": ["a"], "audio_channels": 1}}, "1 channels, expected 2"),
        ({"kwargs": {"sources": ["a"], "t_heads": 7}}, "not make a model"),
        ({"kwargs": {"sources": ["a"], "segment": Fraction(1, 100)}}, "not make a model"),
    ],
)
def test_what_is_no_demucs_is_refused(tmp_path, changed, reason):
    torch.save(serialize(make_separator()) | changed, tmp_path / "a.th")
    refuse(tmp_path / "a.th", reason)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"klass": "demucs.hdemucs.HDemucs"}, "it is of demucs.hdemucs.HDemucs"),
        ({"structure": "{}"}, "quantised"),
        ({"kwargs": "["}, "not a checkpoint"),
        ({"kwargs": '{"segment": {"_type": "fraction"}}'}, "not a checkpoint"),
    ],
)
def test_safetensors_of_something_else_are_refused(tmp_path, header, reason):
    write_safetensors(tmp_path / "a.safetensors", header)
    refuse(tmp_path / "a.safetensors", reason)


def test_several_make_no_model(tmp_path):
    write_demucs(tmp_path / "a.th")
    with pytest.raises(UnreadableCheckpoint, match="2 checkpoints of Demucs, expected one"):
        adopt_checkpoints("mine", 2 * [tmp_path / "a.th"], "for a test", "none")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    write_demucs(tmp_path / "a.th")
    monkeypatch.setitem(sys.modules, "demucs.htdemucs", None)
    with pytest.raises(MissingPackage, match="demucs"):
        adopt_checkpoints("mine", [tmp_path / "a.th"], "for a test", "none")


def test_a_file_is_known_by_its_suffix(tmp_path):
    for name in ("a.th", "a.safetensors", "a.ckpt"):
        (tmp_path / name).write_bytes(b"")
    assert is_demucs(tmp_path / "a.th")
    assert is_demucs(tmp_path / "a.safetensors")
    assert not is_demucs(tmp_path / "a.ckpt")
    assert not is_demucs(tmp_path)
