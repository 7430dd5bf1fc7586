import io
import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.audio.decoders import SteadyFile, decoding, decoding_and_digesting
from msdm_cli.audio.ffmpeg_decoder import FfmpegDecoder
from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.ogg_decoder import OggDecoder
from msdm_cli.audio.source import MOST_CHANNELS
from msdm_cli.digest import DigestedFile, digest_file
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio

KINDS = {"wav": FfmpegDecoder, "flac": FfmpegDecoder, "mp3": FfmpegDecoder, "ogg": OggDecoder}


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_bytes_choose_the_decoder(tmp_path, kind):
    path = tmp_path / "song"  # no suffix says what it is
    soundfile.write(path, music(20_000).T, 22050, format=kind)
    with decoding(path) as decoder:
        assert type(decoder) is KINDS[kind]
        assert decoder.count_frames() >= 20_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_that_is_decoded_is_digested(tmp_path, kind):
    path = tmp_path / f"song.{kind}"
    soundfile.write(path, music(50_000, 2).T, 22050)
    with decoding_and_digesting(path) as (decoder, file):
        decoder.count_frames()
        assert file.finish() == digest_file(path)


@pytest.mark.parametrize("how", [decoding, decoding_and_digesting])
@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (None, "no such file")])
def test_what_is_not_there_is_an_error(tmp_path, how, content, said):
    path = tmp_path / "song.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableAudio, match=said), how(path):
        pass


def test_more_channels_than_memory_is_for_are_refused(tmp_path):
    for channels in (MOST_CHANNELS, MOST_CHANNELS + 1):
        soundfile.write(tmp_path / f"{channels}.wav", np.zeros((10, channels)), 22050)
    with decoding(tmp_path / "256.wav") as decoder:
        assert decoder.channels == MOST_CHANNELS
    with (
        pytest.raises(UnreadableAudio, match="its header states 257 channels"),
        decoding(tmp_path / "257.wav"),
    ):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs Unix")
def test_pipes_and_devices_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "song.wav")
    for path in (tmp_path / "song.wav", Path("/dev/zero"), tmp_path):
        for opened in (decoding, decoding_and_digesting):
            with pytest.raises(UnreadableAudio, match="is no regular file"), opened(path):
                pass


def test_a_place_that_no_file_has_is_an_answer_and_no_exception(tmp_path):
    (tmp_path / "a").write_bytes(b"0123")
    for opened in (DigestedFile, lambda path: path.open("rb")):
        with closing(SteadyFile(opened(tmp_path / "a"))) as file:
            assert file.seek(2) == 2
            assert file.seek(-5) == -1
            assert file.seek(-5, io.SEEK_END) == -1
            assert (file.tell(), file.read(1)) == (2, b"2")


@pytest.mark.filterwarnings("error")
def test_samples_beyond_floats_are_refused_without_a_warning(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0.0, 1e300]), 22050, "DOUBLE")
    with pytest.raises(UnsuitableAudio, match="NaN or infinity"):
        FileSource(tmp_path / "a.wav").open().read(2)
