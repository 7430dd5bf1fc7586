"""What is told before is what happens."""

import pytest

from msdm_cli.jobs.estimate import estimate_generation, estimate_imputation, estimate_separation
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.generate import GenerateOptions, generate_song
from msdm_cli.tasks.impute import ImputeOptions, impute_stems
from msdm_cli.tasks.separate import SeparateOptions, separate_song

HEADERS = 1000


def size_of(done):
    return sum(path.stat().st_size for path in done.files.values())


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_of_a_separation(tiny_model, write_song, tmp_path, channels):
    song = write_song(seconds=3, channels=channels)
    options = SeparateOptions(tiny_model.spec.preset("separate", "default"), 1, residual=True)
    told = estimate_separation(tiny_model, song, options)
    done = separate_song(tiny_model, song, tmp_path / "out", options, SilentProgress())
    assert told.calls == done.calls
    assert told.output_bytes == pytest.approx(size_of(done), abs=HEADERS)
    assert told.audio_seconds == 3
    assert told.seconds > 0
    assert told.memory_bytes > 1e7


def test_of_an_imputation(tiny_model, write_song, tmp_path):
    drums = write_song("drums.wav", seconds=3)
    options = ImputeOptions(tiny_model.spec.preset("impute", "default"), 1, ("piano", "bass"))
    told = estimate_imputation(tiny_model, {"drums": drums}, options)
    done = impute_stems(tiny_model, {"drums": drums}, tmp_path / "out", options, SilentProgress())
    assert told.calls == done.calls
    assert told.output_bytes == pytest.approx(size_of(done), abs=HEADERS)


@pytest.mark.parametrize("seconds", [0.1, 3.0])
def test_of_a_generation(tiny_model, tmp_path, seconds):
    options = GenerateOptions(tiny_model.spec.preset("generate", "default"), 1, seconds)
    told = estimate_generation(tiny_model, options)
    done = generate_song(tiny_model, tmp_path / "out", options, SilentProgress())
    assert told.calls == done.calls
    assert told.output_bytes == pytest.approx(size_of(done), abs=HEADERS)
