import json
import os

import pytest

from msdm_cli.jobs.paths import decode_path, encode_path


@pytest.mark.parametrize(
    "name", ["a/b.wav", "caf\u00e9.wav", "\u6b4c.flac", "file:/x.wav", "100%.wav"]
)
def test_unicode_comes_back(name):
    assert decode_path(encode_path(name)) == name


def test_unicode_stays_readable():
    assert encode_path("caf\u00e9 100%.wav") == "caf\u00e9 100%.wav"


def test_bytes_that_are_no_unicode_come_back():
    name = os.fsdecode(b"caf\xe9/song.flac")
    text = encode_path(name)
    assert text == "file:caf%E9/song.flac"
    assert json.loads(json.dumps(text).encode().decode()) == text
    assert decode_path(text) == name
