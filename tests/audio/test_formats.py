import pytest
import soundfile

from msdm_cli.audio.formats import (
    FORMATS,
    SUBTYPES,
    choose_subtype,
    describe_readable,
    readable_suffixes,
    writable_formats,
)
from msdm_cli.errors import UnwritableAudio


def test_the_table_agrees_with_libsndfile():
    for name, sound_format in FORMATS.items():
        known = {subtype for subtype in SUBTYPES if soundfile.check_format(name.upper(), subtype)}
        assert set(sound_format.subtypes) <= known
        if sound_format.large_format:
            assert soundfile.check_format(sound_format.large_format, sound_format.subtypes[0])


def test_some_formats_are_read_and_not_written():
    assert writable_formats() == ["wav", "flac", "ogg"]
    assert {".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus", ".mp4"} <= readable_suffixes()
    assert describe_readable().startswith("Give a wav, flac, ogg, mp3, m4a")
    assert describe_readable().endswith("or mp4 file.")


def test_units_are_those_of_the_bits():
    assert SUBTYPES["PCM_16"].unit == 1 / 32768
    assert SUBTYPES["PCM_24"].unit == 1 / 8388608
    assert SUBTYPES["VORBIS"].unit == 1 / 32768


@pytest.mark.parametrize(
    ("file_format", "asked", "source", "expected"),
    [
        ("wav", None, "PCM_24", "PCM_24"),
        ("wav", None, "FLOAT", "FLOAT"),
        ("wav", None, "VORBIS", "PCM_16"),
        ("wav", None, "PCM_U8", "PCM_16"),
        ("flac", None, "FLOAT", "PCM_24"),
        ("flac", None, "PCM_32", "PCM_24"),
        ("flac", None, "PCM_U8", "PCM_16"),
        ("flac", "PCM_24", "PCM_16", "PCM_24"),
        ("ogg", None, "PCM_16", "VORBIS"),
    ],
)
def test_bit_depth_follows_the_input(file_format, asked, source, expected):
    assert choose_subtype(file_format, asked, source).name == expected


def test_a_subtype_that_the_format_lacks_is_refused():
    with pytest.raises(UnwritableAudio, match="flac has no subtype FLOAT") as caught:
        choose_subtype("flac", "FLOAT", "PCM_16")
    assert "PCM_24" in caught.value.remedy
