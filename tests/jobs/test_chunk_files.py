import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msdm_cli.jobs.chunk_files import DIGEST_BYTES, _digest, decode_chunk, encode_chunk

OWNER = b"chunk 3 of this job"
CHUNK = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
STORED = encode_chunk(CHUNK, OWNER)


def forge(array, owner=OWNER):
    """A file with a right digest, as somebody may write it who knows the code."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return _digest(buffer.getvalue(), owner) + buffer.getvalue()


def test_a_chunk_comes_back():
    found = decode_chunk(STORED, OWNER)
    np.testing.assert_array_equal(found, CHUNK)
    assert found.dtype == np.float32


def test_views_are_chunks_too():
    view = np.zeros((3, 8, 5), np.float32)[:, ::2]
    assert decode_chunk(encode_chunk(view, OWNER), OWNER).shape == (3, 4, 5)


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


@pytest.mark.parametrize(
    "array",
    [
        CHUNK.astype(np.float64),
        CHUNK.astype(">f4"),
        CHUNK.astype(np.int32),
        np.where(CHUNK == 3, np.nan, CHUNK),
        np.where(CHUNK == 3, np.inf, CHUNK).astype(np.float32),
    ],
)
def test_what_cannot_have_been_drawn_is_refused(array):
    assert decode_chunk(forge(array), OWNER) is None


def test_what_numpy_cannot_read_is_refused():
    content = b"\x93NUMPY\x01\x00\x10\x00{'descr': __a__}"
    assert decode_chunk(_digest(content, OWNER) + content, OWNER) is None
    assert len(_digest(b"", OWNER)) == DIGEST_BYTES
