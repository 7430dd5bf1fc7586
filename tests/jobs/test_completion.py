"""Jobs that draw a part of a stem anew, continue music, or loop: files, manifests, reruns."""

import json

import numpy as np
import pytest
import soundfile
from conftest import (
    generate,
    impute,
    list_files,
    music,
    read_sound,
    request_generation,
    request_imputation,
    spy_on_stages,
)

from msdm_cli.errors import ReplacesInput
from msdm_cli.jobs.estimate import estimate_job
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.run import run_job

RATE = 22050
STEMS = ("bass", "drums", "guitar", "piano")


@pytest.fixture
def band(tmp_path):
    """Files of four stems, by name."""
    files = {}
    for seed, name in enumerate(STEMS):
        files[name] = tmp_path / "band" / f"{name}.wav"
        files[name].parent.mkdir(exist_ok=True)
        soundfile.write(files[name], music(2 * RATE, 2, RATE, seed).T, RATE, "PCM_24")
    return files


def read_bits(path):
    return soundfile.read(path, dtype="int32", always_2d=True)[0].T


def test_outside_of_the_part_a_file_stays_as_it_is_bit_for_bit(tiny_cascade, band, tmp_path):
    result = impute(tiny_cascade, band, tmp_path / "out", part=(0.5, 1.0))
    assert list_files(tmp_path / "out") == sorted(
        [*(f"{name}.wav" for name in (*STEMS, "mixture")), "msdm.json"]
    )
    assert soundfile.info(result.files["piano"]).subtype == "PCM_24"
    before, now = read_bits(band["piano"]), read_bits(result.files["piano"])
    first, stop = RATE // 2, RATE
    np.testing.assert_array_equal(now[:, :first], before[:, :first])
    np.testing.assert_array_equal(now[:, stop:], before[:, stop:])
    assert (now[:, first:stop] != before[:, first:stop]).mean() > 0.9
    for name in STEMS[:3]:
        assert result.files[name].read_bytes() == band[name].read_bytes()


@pytest.mark.parametrize("task", ["impute", "generate"])
def test_stems_of_several_depths_stay_as_they_are_bit_for_bit(tiny_model, band, tmp_path, task):
    coarse = read_sound(band["bass"])
    soundfile.write(band["bass"], coarse.T, RATE, "PCM_16")
    if task == "impute":
        options = {"targets": ("bass", "drums"), "part": (1.0, 2.0)}
        result = impute(tiny_model, band, tmp_path / "out", **options)
    else:
        result = generate(tiny_model, tmp_path / "out", 0.2, inputs=band, continues=True)
    for name in ("bass", "drums"):
        before, now = read_bits(band[name]), read_bits(result.files[name])
        np.testing.assert_array_equal(now[:, :RATE], before[:, :RATE])
    assert soundfile.info(result.files["bass"]).subtype == "PCM_24"


def test_at_another_rate_the_new_part_is_written_too(tiny_cascade, band, tmp_path):
    output = OutputOptions(name="{stem}.{ext}", rate=44100)
    usual = impute(tiny_cascade, band, tmp_path / "a", part=(0.5, 1.0))
    other = impute(tiny_cascade, band, tmp_path / "b", part=(0.5, 1.0), output=output)
    one, two = (read_sound(result.files["piano"]) for result in (usual, other))
    assert two.shape == (2, 4 * RATE)
    assert np.abs(two[:, ::2] - one).max() < 0.05 < np.abs(one).max()


def test_a_part_never_replaces_the_file_that_it_is_of(tiny_cascade, band):
    with pytest.raises(ReplacesInput):
        impute(tiny_cascade, band, band["piano"].parent, part=(0.5, 1.0), overwrite=True)


@pytest.mark.parametrize("kind", ["part", "continuation", "loop"])
def test_a_job_that_was_stopped_goes_on_and_its_manifest_gives_the_same(
    tiny_cascade, band, tmp_path, kind
):
    def run(model, folder):
        if kind == "part":
            return impute(model, band, folder, part=(0.2, 1.8))
        fields = {"inputs": band} if kind == "continuation" else {"loops": True}
        return run_job(request_generation(model, folder, 1.5, **fields), model)

    def stop(number):
        if number == 4:
            raise KeyboardInterrupt

    whole = run(tiny_cascade, tmp_path / "whole")
    stopped, _ = spy_on_stages(tiny_cascade, stop)
    with pytest.raises(KeyboardInterrupt):
        run(stopped, tmp_path / "again")
    again = run(tiny_cascade, tmp_path / "again")
    assert 0 < again.calls < whole.calls
    manifest = load_manifest(again.manifest)
    request = JobRequest.from_json(json.loads(json.dumps(manifest.request)))
    moved = run_job(
        JobRequest.from_json({**request.to_json(), "folder": str(tmp_path / "rerun")}), tiny_cascade
    )
    for name, path in whole.files.items():
        assert path.read_bytes() == again.files[name].read_bytes()
        assert path.read_bytes() == moved.files[name].read_bytes()


def test_a_continuation_is_written_after_what_it_continues(tiny_cascade, band, tmp_path):
    request = request_generation(tiny_cascade, tmp_path / "out", 0.5, inputs=band, continues=True)
    result = run_job(request, tiny_cascade)
    for name in STEMS:
        now = read_bits(result.files[name])
        assert now.shape == (2, 2 * RATE + RATE // 2)
        np.testing.assert_array_equal(now[:, : 2 * RATE], read_bits(band[name]))
    assert result.properties.frames == 2 * RATE + RATE // 2


def test_a_continuation_at_another_rate_is_no_shorter(tiny_cascade, band, tmp_path):
    output = OutputOptions(rate=44100)
    request = request_generation(tiny_cascade, tmp_path, 0.5, inputs=band, output=output)
    result = run_job(request, tiny_cascade)
    bass = read_sound(result.files["bass"])
    assert bass.shape == (2, 5 * RATE)
    assert np.abs(bass[:, 4 * RATE + RATE // 5 :]).max() > 1e-4


def test_loops_have_their_length_at_any_rate(tiny_cascade, tmp_path):
    for rate in (None, 44100):
        output = OutputOptions(rate=rate)
        result = generate(
            tiny_cascade, tmp_path / str(rate), 1.0, loops=True, output=output, seed=2
        )
        sound = read_sound(result.files["mixture"])
        assert sound.shape == (1, rate or RATE)


def test_what_was_heard_is_in_the_manifest(tiny_cascade, tiny_model, band, tmp_path):
    result = impute(tiny_cascade, {"bass": band["bass"]}, tmp_path / "a")
    assert result.heard.key is not None
    assert load_manifest(result.manifest).facts.heard == result.heard
    again = impute(tiny_cascade, {"bass": band["bass"]}, tmp_path / "a")
    assert again.skipped
    assert again.heard == result.heard
    plain = impute(tiny_model, {"bass": band["bass"]}, tmp_path / "b")
    assert plain.heard.key is plain.heard.tempo is None


@pytest.mark.parametrize("kind", ["part", "continuation", "loop"])
def test_a_dry_run_counts_what_is_done(tiny_cascade, band, tmp_path, kind):
    request = {
        "part": request_imputation(tiny_cascade, band, tmp_path / "out", part=(1.2, 1.9)),
        "continuation": request_generation(tiny_cascade, tmp_path / "out", 3.0, inputs=band),
        "loop": request_generation(tiny_cascade, tmp_path / "out", 3.0, loops=True),
    }[kind]
    estimate = estimate_job(request, tiny_cascade)
    assert not (tmp_path / "out").exists()
    assert estimate.calls == run_job(request, tiny_cascade).calls


def test_a_dry_run_of_a_late_part_rehearses_an_early_one(tiny_cascade, tmp_path):
    long = tmp_path / "piano.wav"
    soundfile.write(long, music(10 * RATE).T, RATE)
    for part in ((8.0, 9.0), (8.0, None), (0.0, None)):
        request = request_imputation(tiny_cascade, {"piano": long}, tmp_path, part=part)
        assert estimate_job(request, tiny_cascade).calls > 0


def test_what_is_continued_stays_as_it_is_though_the_mixture_would_clip(tiny_cascade, tmp_path):
    loud = {}
    for name in STEMS:
        loud[name] = tmp_path / f"{name}.wav"
        soundfile.write(loud[name], 0.8 * np.ones(RATE), RATE, "PCM_16")
    request = request_generation(tiny_cascade, tmp_path / "out", 0.3, inputs=loud, continues=True)
    result = run_job(request, tiny_cascade)
    assert result.gain < 0.4
    assert result.mixture_only
    for name, path in loud.items():
        np.testing.assert_array_equal(read_bits(result.files[name])[:, :RATE], read_bits(path))
