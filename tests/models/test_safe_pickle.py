"""Files of torch.save that were made to run code, or to cost more than they weigh."""

import os
import pickle
import struct
import subprocess
import sys
import zipfile

import pytest
import torch
from torch import Tensor

from msdm_cli.models.safe_pickle import RefusedPickle, load_pickled


class Shell:
    """Takes the place of objects."""

    def __setstate__(self, state):
        self.state = state


class Calls:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def save(path, content, protocol=2):
    torch.save(content, path, pickle_protocol=protocol)
    return path


def read(path):
    return load_pickled(path, Shell, ("fractions.",))


def test_tensors_containers_and_numbers_are_read(tmp_path):
    content = {
        "a": torch.arange(6.0).reshape(2, 3),
        "b": torch.nn.Parameter(torch.ones(2)),
        "c": [1, 2.5, None, True, "text", (3,), 1 << 70],
        "d": {"size": torch.Size([2]), "kind": torch.float16, "set": {1}},
    }
    found = read(save(tmp_path / "a.ckpt", content))
    assert torch.equal(found["a"], content["a"])
    assert torch.equal(found["b"], content["b"])
    assert (found["c"], found["d"]) == (content["c"], content["d"])


def test_named_objects_become_shells(tmp_path):
    from fractions import Fraction

    (found,) = load_pickled(save(tmp_path / "a.ckpt", [Fraction]), Shell, ("fractions.",))
    assert issubclass(found, Shell)
    assert found.asked == "fractions.Fraction"


FUNCTIONS = [
    (os.system, "posix.system|nt.system"),
    (eval, "builtins.eval"),
    (getattr, "builtins.getattr"),
    (bytearray, "builtins.bytearray"),
    (subprocess.Popen, "subprocess.Popen"),
    (Tensor, "torch.Tensor"),
    (torch.FloatTensor, "torch.FloatTensor"),
    (torch.storage.UntypedStorage, "torch.storage.UntypedStorage"),
    (torch._utils._rebuild_meta_tensor_no_storage, "torch._utils._rebuild_meta_tensor"),
    (torch.load, "torch.serialization.load"),
]


@pytest.mark.parametrize(("function", "name"), FUNCTIONS, ids=[name for _, name in FUNCTIONS])
def test_other_names_are_refused_in_our_words(tmp_path, function, name):
    path = save(tmp_path / "a.ckpt", {"a": Calls(function, 6_000_000_000)})
    with pytest.raises(RefusedPickle, match=f"asks for ({name}).*nothing of it was run"):
        read(path)


ODD = {
    "bytes": lambda: b"bytes" * 100,
    "sparse": lambda: torch.ones(2, 2).to_sparse(),
    "meta": lambda: torch.empty(10**9, device="meta"),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "complex": lambda: torch.ones(2, dtype=torch.complex64),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.filterwarnings("ignore")
def test_other_tensors_are_refused(tmp_path, kind):
    with pytest.raises(RefusedPickle, match="asks for"):
        read(save(tmp_path / "a.ckpt", {"a": ODD[kind]()}))


def test_names_that_cannot_be_seen_are_refused(tmp_path):
    with pytest.raises(RefusedPickle, match="STACK_GLOBAL"):
        read(save(tmp_path / "a.ckpt", {"a": Calls(os.system, "true")}, protocol=4))


def rewrite(path, change=lambda name, content: content, compression=zipfile.ZIP_STORED):
    """The same records, changed, with checksums that fit."""
    with zipfile.ZipFile(path) as source:
        records = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w", compression) as target:
        for name, content in records.items():
            target.writestr(name, change(name, content))
    return path


@pytest.fixture
def whole(tmp_path):
    return save(tmp_path / "a.ckpt", {"state_dict": {"a": torch.arange(1000.0)}})


def test_a_flipped_bit_in_a_tensor_is_found(whole):
    content = bytearray(whole.read_bytes())
    place = content.index(struct.pack("<4f", 10, 11, 12, 13))
    content[place] ^= 1
    whole.write_bytes(content)
    with pytest.raises(RefusedPickle, match="it is damaged"):
        read(whole)


def test_compressed_records_are_refused(whole):
    with pytest.raises(RefusedPickle, match="compressed"):
        read(rewrite(whole, compression=zipfile.ZIP_DEFLATED))


def test_records_that_overlap_are_refused(whole):
    content = whole.read_bytes()
    start = content.index(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    directory = content[start:end]
    tail = bytearray(content[end : end + 22])
    count = struct.unpack_from("<H", tail, 10)[0]
    struct.pack_into("<HHI", tail, 8, 9 * count, 9 * count, 9 * len(directory))
    whole.write_bytes(content[:start] + 9 * directory + tail)
    with pytest.raises(RefusedPickle, match="it is damaged"):
        read(whole)


@pytest.mark.parametrize("name", ["data.pkl", "other/data.pkl"])
@pytest.mark.filterwarnings("ignore:Duplicate")
def test_two_pickles_are_refused(whole, name):
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(name, b"x")
        archive.writestr(name, b"x")
    with pytest.raises(RefusedPickle, match=r"it has 3 data\.pkl"):
        read(whole)


def test_a_long_pickle_is_refused(whole, monkeypatch):
    monkeypatch.setattr("msdm_cli.models.safe_pickle.MOST_PICKLE_BYTES", 10)
    with pytest.raises(RefusedPickle, match="more than 0 MB"):
        read(whole)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04", pickle.dumps({"a": 1})])
def test_what_torch_did_not_save_is_refused(tmp_path, content):
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(RefusedPickle, match=r"not written by torch\.save"):
        read(tmp_path / "a.ckpt")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(RefusedPickle, match="no such file"):
        read(tmp_path / "a.ckpt")
    with pytest.raises(RefusedPickle, match="is no regular file"):
        read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.ckpt")
    with pytest.raises(RefusedPickle, match="is no regular file"):
        read(tmp_path / "a.ckpt")


def replace_pickle(path, content):
    return rewrite(path, lambda name, old: content if name.endswith("data.pkl") else old)


STORAGE = (
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ%bt"
    b"Q%b(%bt(%bt\x89ccollections\nOrderedDict\n)RtR."
)


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


@pytest.mark.parametrize(
    ("claimed", "offset", "size", "stride"),
    [
        (1000, 0, 10**10, 1),
        (10**9, 0, 10**9, 1),
        (-1, 0, 10, 1),
        (1000, 10**12, 10, 1),
        (1000, -1, 10, 1),
        (1000, 0, -1, 1),
        (1000, 0, 10, 10**15),
        (1000, 0, 10, -1),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused_at_no_cost(whole, claimed, offset, size, stride):
    content = STORAGE % (
        struct.pack("<i", claimed),
        number(offset),
        number(size),
        number(stride),
    )
    with pytest.raises(RefusedPickle):
        read(replace_pickle(whole, content))


def test_nothing_that_pytorch_says_is_shown(whole):
    for content in (
        b"\x80\x02cos\nsystem\n.",
        b"\x80\x02}(K\x01",
        b"\x80\x02]\x81.",
        b"\x80\x02\xff",
    ):
        with pytest.raises(RefusedPickle) as caught:
            read(replace_pickle(whole, content))
        assert "torch" not in str(caught.value)
        assert "weights_only" not in str(caught.value)


MEASURED = """
import resource, sys
from pathlib import Path
import msdm_cli.models.checkpoint
from msdm_cli.errors import MsdmError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in sys.argv[1:]:
    try:
        msdm_cli.models.checkpoint.load_checkpoint(Path(name))
    except MsdmError as error:
        print("refused")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
MOST_KILOBYTES = 60_000
"""Each file below asks for 6 GB or more, and has less than 200 kB."""


@pytest.mark.skipif(sys.platform != "linux", reason="other units of memory, or none")
def test_small_files_cost_little(tmp_path):
    frequencies = {"to_time.0.0.weights": torch.ones(1).expand(3_000_000_000)}
    many = torch.ones(10_000)
    files = [
        save(tmp_path / "a.ckpt", {"state_dict": frequencies}),
        save(tmp_path / "b.ckpt", {"a": Calls(bytearray, 6_000_000_000)}),
        save(tmp_path / "c.ckpt", {"a": Calls(torch.FloatTensor, 2_000_000_000)}),
        rewrite(
            save(tmp_path / "d.ckpt", {"a": torch.zeros(10_000_000)}),
            compression=zipfile.ZIP_DEFLATED,
        ),
        save(
            tmp_path / "e.ckpt",
            {"state_dict": {"to_time.0.0.weights": many, **{str(n): many for n in range(2000)}}},
        ),
    ]
    nested = []
    for _ in range(200):
        nested = [nested, nested]
    state = {"to_time.0.0.weights": torch.ones(1)}
    settings = {"state_dict": state, "hyper_parameters": {"channels": nested}}
    files.append(save(tmp_path / "f.ckpt", settings))
    assert max(path.stat().st_size for path in files) < 200_000
    command = [sys.executable, "-c", MEASURED, *map(str, files)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    *lines, kilobytes = ended.stdout.split()
    assert lines == ["refused"] * len(files)
    assert int(kilobytes) < MOST_KILOBYTES
