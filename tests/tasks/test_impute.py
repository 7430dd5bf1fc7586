import numpy as np
import pytest
import soundfile
from conftest import music

from msdm_cli.errors import UnsuitableAudio, UnwritableAudio
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.impute import ImputeOptions, impute_stems


def impute(model, given, folder, targets=("piano",), seed=1):
    options = ImputeOptions(model.spec.preset("impute", "default"), seed, targets)
    return impute_stems(model, given, folder, options, SilentProgress())


def read(path):
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


@pytest.mark.parametrize(
    ("rate", "channels", "seconds"), [(22050, 1, 0.3), (44100, 2, 2.5), (48000, 1, 1.0)]
)
def test_targets_fit_the_given_stem_and_it_stays_as_it_is(
    tiny_model, write_song, tmp_path, rate, channels, seconds
):
    drums = write_song("drums.wav", seconds, rate, channels)
    before = drums.read_bytes()
    done = impute(tiny_model, {"drums": drums}, tmp_path / "out", ("piano", "bass"))
    assert drums.read_bytes() == before == done.files["drums"].read_bytes()
    for path in done.files.values():
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.frames) == (
            rate,
            channels,
            int(seconds * rate),
        )
    stems = [read(done.files[name]) for name in ("drums", "piano", "bass")]
    # Three roundings to 16 bits.
    np.testing.assert_allclose(sum(stems), read(done.files["mixture"]), atol=3 / 32768)


def test_it_hears_the_given_stem(tiny_model, write_song, tmp_path):
    one, other = write_song("a/drums.wav", 1, seed=1), write_song("b/drums.wav", 1, seed=2)
    first = impute(tiny_model, {"drums": one}, tmp_path / "x")
    second = impute(tiny_model, {"drums": other}, tmp_path / "y")
    again = impute(tiny_model, {"drums": one}, tmp_path / "z")
    assert first.files["piano"].read_bytes() == again.files["piano"].read_bytes()
    assert first.files["piano"].read_bytes() != second.files["piano"].read_bytes()


def test_mono_and_stereo_go_together(tiny_model, tmp_path, write_song):
    drums, bass = write_song("drums.wav", 1, channels=2), write_song("bass.wav", 1, channels=1)
    done = impute(tiny_model, {"drums": drums, "bass": bass}, tmp_path / "out")
    assert soundfile.info(done.files["mixture"]).channels == 2


@pytest.mark.parametrize(("rate", "seconds", "unit"), [(48000, 1, "Hz"), (44100, 1.1, "samples")])
def test_given_stems_must_fit_each_other(tiny_model, write_song, tmp_path, rate, seconds, unit):
    drums, bass = write_song("drums.wav", 1, 44100), write_song("bass.wav", seconds, rate)
    with pytest.raises(UnsuitableAudio, match=unit):
        impute(tiny_model, {"drums": drums, "bass": bass}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_and_three_channels_do_not_go_together(tiny_model, write_song, tmp_path):
    drums, bass = write_song("drums.wav", 0.5, channels=2), write_song("bass.wav", 0.5, channels=3)
    with pytest.raises(UnsuitableAudio, match="channels"):
        impute(tiny_model, {"drums": drums, "bass": bass}, tmp_path / "out")


def test_a_given_file_is_not_replaced_even_when_asked(tiny_model, write_song, tmp_path):
    bass = write_song("piano.wav", 0.5)
    options = ImputeOptions(
        tiny_model.spec.preset("impute", "default"), 1, ("piano",), OutputOptions(overwrite=True)
    )
    with pytest.raises(UnwritableAudio, match="is an input"):
        impute_stems(tiny_model, {"bass": bass}, tmp_path, options, SilentProgress())


def test_it_never_writes_over_a_given_stem(tiny_model, write_song, tmp_path):
    drums = write_song("drums.wav", 0.5)
    done = impute(tiny_model, {"drums": drums}, tmp_path)
    assert sorted(done.files) == ["mixture", "piano"]
    piano = tmp_path / "piano.wav"
    soundfile.write(piano, music(100).T, 22050)
    before = piano.read_bytes()
    with pytest.raises(UnwritableAudio, match="is there already"):
        impute(tiny_model, {"drums": drums}, tmp_path)
    assert piano.read_bytes() == before
