import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.ogg_serial import CHECKSUM, fix_serial, page_checksum


@pytest.fixture
def path(tmp_path):
    soundfile.write(tmp_path / "a.ogg", music(200_000, 2).T, 22050, "VORBIS")
    return tmp_path / "a.ogg"


def test_the_checksum_is_that_of_the_pages_that_libsndfile_wrote(path):
    page = bytearray(path.read_bytes())
    sizes = page[27 : 27 + page[26]]
    page = page[: 27 + len(sizes) + sum(sizes)]
    written = int.from_bytes(page[CHECKSUM : CHECKSUM + 4], "little")
    page[CHECKSUM : CHECKSUM + 4] = bytes(4)
    assert page_checksum(bytes(page)) == written


def test_files_of_the_same_sound_become_the_same(path, tmp_path):
    before = soundfile.read(path)[0]
    other = tmp_path / "b.ogg"
    other.write_bytes(path.read_bytes())
    fix_serial(other, 0x12345678)  # libsndfile draws the number from the clock
    assert other.read_bytes().count(b"\x78\x56\x34\x12") > 2
    fix_serial(path)
    assert other.read_bytes() != path.read_bytes()
    np.testing.assert_array_equal(soundfile.read(other)[0], before)
    fix_serial(other)
    assert other.read_bytes() == path.read_bytes()
    np.testing.assert_array_equal(soundfile.read(path)[0], before)


def test_what_is_not_ogg_is_said(tmp_path):
    (tmp_path / "a.ogg").write_bytes(b"RIFF" * 20)
    with pytest.raises(ValueError, match="expected a page"):
        fix_serial(tmp_path / "a.ogg")
