import pytest
import soundfile

from msdm_cli.audio.formats import (
    FORMATS,
    SUBTYPES,
    check_channels,
    choose_rate,
    choose_subtype,
    describe_readable,
    find_finest,
    loses_bits,
    readable_suffixes,
    writable_formats,
)
from msdm_cli.errors import UnwritableAudio


def test_the_table_agrees_with_libsndfile():
    for sound_format in FORMATS.values():
        known = {
            subtype
            for subtype in SUBTYPES
            if soundfile.check_format(sound_format.libsndfile_name, subtype)
        }
        assert set(sound_format.subtypes) <= known
        if sound_format.large_format:
            assert soundfile.check_format(sound_format.large_format, sound_format.subtypes[0])


def test_some_formats_are_read_and_not_written():
    assert writable_formats() == ["wav", "flac", "ogg", "mp3", "opus", "aiff", "caf"]
    assert {
        ".wav",
        ".flac",
        ".ogg",
        ".mp3",
        ".m4a",
        ".opus",
        ".mp4",
        ".aif",
        ".mov",
    } <= readable_suffixes()
    assert describe_readable().startswith("Give a wav, flac, ogg, mp3, opus")
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
        ("mp3", None, "PCM_24", "MPEG_LAYER_III"),
        ("opus", None, "VORBIS", "OPUS"),
        ("aiff", None, "PCM_24", "PCM_24"),
    ],
)
def test_bit_depth_follows_the_input(file_format, asked, source, expected):
    assert choose_subtype(file_format, asked, source).name == expected


@pytest.mark.parametrize(
    ("subtypes", "finest"),
    [
        (("PCM_16", "PCM_24", "PCM_16"), "PCM_24"),
        (("PCM_24", "PCM_U8"), "PCM_24"),
        (("VORBIS", "PCM_16"), "PCM_16"),
        (("PCM_32", "FLOAT"), "FLOAT"),
        (("FLOAT", "DOUBLE"), "DOUBLE"),
        (("MPEG_LAYER_III", "VORBIS"), "MPEG_LAYER_III"),
    ],
)
def test_the_finest_subtype_holds_the_samples_of_all(subtypes, finest):
    assert find_finest(subtypes) == finest


@pytest.mark.parametrize(
    ("source", "written", "loses"),
    [
        ("PCM_24", "PCM_16", True),
        ("FLOAT", "PCM_16", True),
        ("PCM_32", "PCM_24", True),
        ("FLOAT", "PCM_24", False),
        ("PCM_16", "PCM_16", False),
        ("PCM_16", "PCM_24", False),
        ("PCM_32", "FLOAT", False),
        ("PCM_24", "VORBIS", False),
        ("VORBIS", "PCM_16", False),
        ("ULAW", "PCM_16", False),
    ],
)
def test_bits_are_lost_where_there_are_fewer(source, written, loses):
    assert loses_bits(source, written) == loses


def test_a_subtype_that_the_format_lacks_is_refused():
    with pytest.raises(UnwritableAudio, match="flac has no subtype FLOAT") as caught:
        choose_subtype("flac", "FLOAT", "PCM_16")
    assert "PCM_24" in caught.value.remedy


@pytest.mark.parametrize(
    ("file_format", "asked", "source", "expected"),
    [
        ("wav", None, 44101, 44101),
        ("wav", 8000, 44100, 8000),
        ("opus", None, 44100, 48000),
        ("opus", None, 22050, 24000),
        ("opus", 16000, 22050, 16000),
        ("mp3", None, 44100, 44100),
        ("mp3", None, 96000, 48000),
    ],
)
def test_rates_follow_the_input_as_far_as_the_format_has_them(file_format, asked, source, expected):
    assert choose_rate(file_format, asked, source) == expected


def test_channels_that_the_format_lacks_are_refused():
    check_channels("wav", 100)
    check_channels("mp3", 2)
    with pytest.raises(UnwritableAudio, match="mp3 has 2 channels at most, and these are 6"):
        check_channels("mp3", 6)
