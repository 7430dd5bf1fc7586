"""A checkpoint written here by TensorFlow's rules is read back."""

import struct

import numpy as np
import pytest

from scripts.bench.tf_checkpoint import load_checkpoint

FLOAT, INTEGER = 1, 3


def number(value):
    """Seven bits a byte, the lowest first."""
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + number(rest) if rest else bytes([low])


def field(tag, content):
    if isinstance(content, int):
        return number(tag << 3) + number(content)
    return number(tag << 3 | 2) + number(len(content)) + content


def describe(kind, shape, offset, size):
    sizes = b"".join(field(2, field(1, length)) for length in shape)
    return field(1, kind) + field(2, sizes) + field(4, offset) + field(5, size)


def block(entries):
    """Entries whose keys share what they begin with, and one restart."""
    content, before = b"", b""
    for key, value in entries:
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, before, strict=False)) if a != b),
            min(len(key), len(before)),
        )
        content += number(shared) + number(len(key) - shared) + number(len(value))
        content += key[shared:] + value
        before = key
    return content + struct.pack("<II", 0, 1)


def write(folder, tensors, compression=0):
    data, entries = b"", [(b"", b"header")]
    for name, array in sorted(tensors.items()):
        kind = FLOAT if array.dtype == np.float32 else INTEGER
        described = describe(kind, array.shape, len(data), array.nbytes)
        entries.append((name.encode(), described))
        data += array.tobytes()
    (folder / "model.data-00000-of-00001").write_bytes(data)
    first = block(entries)
    index = block([(b"z", number(0) + number(len(first)))])
    trailer = bytes([compression]) + bytes(4)
    place = len(first) + len(trailer)
    footer = number(0) + number(0) + number(place) + number(len(index))
    table = first + trailer + index + trailer + footer.ljust(48, b"\0")
    (folder / "model.index").write_bytes(table)
    return folder / "model.index"


def test_tensors_are_read_back(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {
        "dense/bias": rng.standard_normal(200, np.float32),
        "dense/kernel": rng.standard_normal((30, 7), np.float32),
        "dense_1/kernel": rng.standard_normal((7, 3, 1, 5), np.float32),
        "scalar": np.float32(3.5).reshape(()),
    }
    path = write(tmp_path, tensors | {"step": np.array(7, np.int32)})
    found = load_checkpoint(path)
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_compressed_table_is_refused(tmp_path):
    path = write(tmp_path, {"a": np.zeros(3, np.float32)}, compression=1)
    with pytest.raises(ValueError, match="compressed"):
        load_checkpoint(path)
