import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msdm_cli.jobs.chunk_files import _digest, decode_chunk, encode_chunk

OWNER = b"chunk 3 of this job"
CHUNK = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
STORED = b"".join(encode_chunk(CHUNK, OWNER))


def forge(axes, lengths, samples):
    """A file with a right digest, as somebody may write it who knows the code."""
    content = struct.pack(f"<{1 + len(lengths)}Q", axes, *lengths) + samples
    return _digest([content], OWNER) + content


def test_a_chunk_comes_back():
    found = decode_chunk(STORED, OWNER)
    np.testing.assert_array_equal(found, CHUNK)
    assert found.dtype == np.float32


def test_views_are_chunks_too():
    view = np.zeros((3, 8, 5), np.float32)[:, ::2]
    assert decode_chunk(b"".join(encode_chunk(view, OWNER)), OWNER).shape == (3, 4, 5)


@given(place=st.integers(0, 8 * len(STORED) - 1))
def test_any_flipped_bit_is_noticed(place):
    damaged = bytearray(STORED)
    damaged[place // 8] ^= 1 << (place % 8)
    assert decode_chunk(bytes(damaged), OWNER) is None


@given(length=st.integers(0, len(STORED) - 1))
def test_any_cut_is_noticed(length):
    assert decode_chunk(STORED[:length], OWNER) is None


def test_a_chunk_of_another_job_is_none():
    assert decode_chunk(STORED, b"chunk 4 of this job") is None


ZEROS = bytes(4 * 24)


def test_what_is_forged_well_is_read():
    assert decode_chunk(forge(2, [3, 8], ZEROS), OWNER).shape == (3, 8)


@pytest.mark.parametrize(
    "forged",
    [
        forge(2, [3, 9], ZEROS),
        forge(2, [1 << 63, 1 << 63], ZEROS),
        forge(2, [1 << 40, 0], ZEROS),
        forge(3, [3, 8], ZEROS),
        forge(1 << 63, [24], ZEROS),
        forge(9, [1] * 8 + [24], ZEROS),
        forge(1, [24], ZEROS[:-1]),
        forge(1, [], b""),
        forge(0, [], b""),
        _digest([], OWNER),
        _digest([b"\x01"], OWNER) + b"\x01",
        forge(1, [2], np.array([1, np.nan], "<f4").tobytes()),
        forge(1, [2], np.array([np.inf, 1], "<f4").tobytes()),
    ],
)
def test_what_cannot_have_been_drawn_is_refused(forged):
    assert decode_chunk(forged, OWNER) is None
