"""Reading a TensorFlow checkpoint without TensorFlow.

A checkpoint is a table of names (``.index``, LevelDB's format, uncompressed blocks) and one file of
tensors (``.data-00000-of-00001``). A block is entries with shared beginnings of their keys, then a
list of restarts; an entry of a tensor is a protocol buffer with its type, shape, offset and size.

Source: TensorFlow, ``tensor_bundle.proto``; LevelDB, ``table_format.md``.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = ".data-00000-of-00001"
FOOTER_BYTES = 48
TYPES = {1: "<f4"}
"""TensorFlow's numbers of the types that are read; others are left out."""

TYPE, SHAPE, OFFSET, SIZE = 1, 2, 4, 5
"""Fields of an entry."""


def load_checkpoint(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors of a checkpoint of one shard, by name.

    Args:
        path: Its file ``NAME.index``; the name may be empty.
    """
    index = path.read_bytes()
    data = path.with_name(path.name.removesuffix(".index") + DATA).read_bytes()
    tensors = {}
    for _, place in _list_entries(_find_block(index, _find_index(index))):
        for key, described in _list_entries(_find_block(index, _read_pair(place, 0)[0])):
            fields = _read_fields(described)
            if not key or fields.get(TYPE, [0])[0] not in TYPES:
                continue
            offset = fields.get(OFFSET, [0])[0]
            content = data[offset : offset + fields[SIZE][0]]
            tensors[key.decode()] = np.frombuffer(content, TYPES[1]).reshape(_read_shape(fields))
    return tensors


def _find_index(table: bytes) -> tuple[int, int]:
    """Offset and size of the block that lists the others: the second pair of the footer."""
    footer = table[-FOOTER_BYTES:]
    _, position = _read_pair(footer, 0)
    return _read_pair(footer, position)[0]


def _find_block(table: bytes, place: tuple[int, int]) -> bytes:
    offset, size = place
    if table[offset + size]:
        raise ValueError("the block is compressed")
    return table[offset : offset + size]


def _list_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block."""
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    position = 0
    key = b""
    while position < end:
        shared, position = _read_number(block, position)
        own, position = _read_number(block, position)
        size, position = _read_number(block, position)
        key = key[:shared] + block[position : position + own]
        position += own
        yield key, block[position : position + size]
        position += size


def _read_shape(fields: dict[int, list[Any]]) -> list[int]:
    """The shape in an entry: a message of messages of sizes."""
    if SHAPE not in fields:
        return []
    return [_read_fields(size).get(1, [0])[0] for size in _read_fields(fields[SHAPE][0]).get(2, [])]


def _read_fields(message: bytes) -> dict[int, list[Any]]:
    """The fields of a protocol buffer, by number: integers, and bytes of what has a length."""
    fields: dict[int, list[Any]] = {}
    position = 0
    while position < len(message):
        tag, position = _read_number(message, position)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, position = _read_number(message, position)
        elif kind == 2:
            size, position = _read_number(message, position)
            value, position = message[position : position + size], position + size
        else:
            size = {1: 8, 5: 4}[kind]
            value, position = message[position : position + size], position + size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _read_pair(content: bytes, position: int) -> tuple[tuple[int, int], int]:
    first, position = _read_number(content, position)
    second, position = _read_number(content, position)
    return (first, second), position


def _read_number(content: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = content[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
