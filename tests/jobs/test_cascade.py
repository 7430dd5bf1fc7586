"""Jobs of a model that sketches first: they resume, and nothing is drawn twice."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import soundfile
from conftest import (
    SpyDenoiser,
    generate,
    impute,
    list_files,
    music,
    spy_on_stages,
)

from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.run import run_job
from msdm_cli.tasks.controls import Controls

SKETCH = 1
CALLS = 3 + 1
CONTROLS = Controls(tempo=100.0, key="A minor", style="rock", playing=(True, True, False, None))


def compare(one, other):
    assert one.files.keys() == other.files.keys()
    for name, path in one.files.items():
        assert path.read_bytes() == other.files[name].read_bytes()


def stop_at(call):
    def stop(number):
        if number == call:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("call", [1, 3])
def test_a_generation_that_was_stopped_goes_on_to_the_same_bytes(tiny_cascade, tmp_path, call):
    whole = generate(tiny_cascade, tmp_path / "whole", 1.2, controls=CONTROLS)
    assert whole.calls == 3 * CALLS
    stopped, _ = spy_on_stages(tiny_cascade, stop_at(call))
    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        generate(stopped, folder, 1.2, controls=CONTROLS)
    assert list(folder.rglob(".*.part"))
    watched, spies = spy_on_stages(tiny_cascade)
    again = generate(watched, folder, 1.2, controls=CONTROLS)
    compare(whole, again)
    assert not list(folder.rglob(".*.part"))
    # A call makes a sound, so that is how many were finished; their sketches, and the next one.
    sounds = call - 1
    assert again.calls == 3 * CALLS - sounds - 3 * (sounds + 1)
    assert [spy.calls for spy in spies] == [0, 3 * (2 - sounds), 3 - sounds]


def test_an_imputation_that_was_stopped_goes_on_to_the_same_bytes(tiny_cascade, tmp_path):
    drums = tmp_path / "drums.wav"
    soundfile.write(drums, music(30_000).T, 22050, "PCM_16")
    whole = impute(tiny_cascade, {"drums": drums}, tmp_path / "whole")
    stopped, _ = spy_on_stages(tiny_cascade, stop_at(3))
    with pytest.raises(KeyboardInterrupt):
        impute(stopped, {"drums": drums}, tmp_path / "stopped")
    again = impute(tiny_cascade, {"drums": drums}, tmp_path / "stopped")
    compare(whole, again)
    assert again.calls < whole.calls == 4 * CALLS


def test_other_controls_begin_anew(tiny_cascade, tmp_path):
    stopped, _ = spy_on_stages(tiny_cascade, stop_at(3))
    with pytest.raises(KeyboardInterrupt):
        generate(stopped, tmp_path, 1.2, controls=CONTROLS)
    other = generate(tiny_cascade, tmp_path, 1.2, controls=Controls(tempo=90.0))
    assert other.calls == 3 * CALLS
    compare(other, generate(tiny_cascade, tmp_path / "b", 1.2, controls=Controls(tempo=90.0)))


def test_what_is_done_is_not_done_again(tiny_cascade, tmp_path):
    first = generate(tiny_cascade, tmp_path, 0.2, controls=CONTROLS)
    watched, spies = spy_on_stages(tiny_cascade)
    again = generate(watched, tmp_path, 0.2, controls=CONTROLS)
    assert again.skipped
    assert [spy.calls for spy in spies] == [0, 0, 0]
    assert list_files(tmp_path) == sorted(
        path.relative_to(tmp_path).as_posix()
        for path in (*first.files.values(), tmp_path / "seed-1" / "msdm.json")
    )


def test_a_manifest_says_what_was_asked_and_gives_the_same_again(tiny_cascade, tmp_path):
    first = generate(tiny_cascade, tmp_path, 0.2, controls=CONTROLS)
    manifest = load_manifest(tmp_path / "seed-1" / "msdm.json")
    request = JobRequest.from_json(json.loads(json.dumps(manifest.request)))
    assert request.options.controls == CONTROLS
    assert request.options.sketch == tiny_cascade.spec.sketch_preset("generate", "default")
    kept = {name: path.read_bytes() for name, path in first.files.items()}
    shutil.rmtree(tmp_path / "seed-1")
    again = run_job(request, tiny_cascade)
    assert {name: path.read_bytes() for name, path in again.files.items()} == kept


@pytest.mark.parametrize("seconds", [0.2, 1.2])
def test_music_that_would_clip_is_drawn_once(tiny_cascade, tmp_path, seconds):
    """Files are written again with a gain; the network is not called again."""

    class Loud(SpyDenoiser):
        def __call__(self, *arguments):
            return super().__call__(*arguments) * np.float32(1e5)

    opener = tiny_cascade.openers[0]
    loud = Loud(opener(SKETCH))
    model = dataclasses.replace(
        tiny_cascade, openers=(lambda stage: loud if stage == SKETCH else opener(stage),)
    )
    result = generate(model, tmp_path, seconds)
    assert result.gain < 1
    assert result.clipped == 0
    assert result.calls == CALLS * (1 if seconds == 0.2 else 3)
    assert loud.calls == 3 * (1 if seconds == 0.2 else 3)
