import dataclasses

import numpy as np
import pytest
import soundfile

from msdm_cli.errors import UnwritableAudio
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.continuation import plan_continuation
from msdm_cli.tasks.generate import GenerateOptions, generate_song


def generate(model, folder, seconds, seed=1, subtype=None):
    preset = model.spec.preset("generate", "default")
    return generate_song(
        model,
        folder,
        GenerateOptions(preset, seed, seconds, OutputOptions(subtype=subtype)),
        SilentProgress(),
    )


@pytest.mark.parametrize("seconds", [0.001, 0.5, 2.0])
def test_any_length_and_the_mixture_is_the_sum(tiny_model, tmp_path, seconds):
    done = generate(tiny_model, tmp_path, seconds, subtype="FLOAT")
    stems = {name: soundfile.read(path)[0] for name, path in done.files.items()}
    mixture = stems.pop("mixture")
    assert len(mixture) == round(seconds * 22050)
    assert set(stems) == set(tiny_model.spec.stems)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-6)
    assert all(np.abs(stem).max() > 0 for stem in stems.values())


def test_the_seed_decides_every_byte(tiny_model, tmp_path):
    one, two, other = (
        generate(tiny_model, tmp_path / name, 1.5, seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for name, path in one.files.items():
        assert path.read_bytes() == two.files[name].read_bytes()
    assert one.files["drums"].read_bytes() != other.files["drums"].read_bytes()


def test_a_longer_song_begins_like_a_shorter_one(tiny_model, tmp_path):
    length = tiny_model.spec.chunk_length - tiny_model.spec.context
    short, long = (generate(tiny_model, tmp_path / str(s), s, subtype="FLOAT") for s in (1.5, 2.5))
    a, b = (soundfile.read(done.files["piano"])[0][:length] for done in (short, long))
    np.testing.assert_array_equal(a, b)


def test_variations_take_turns_on_devices_and_a_song_stays_on_one(tiny_model, tmp_path):
    class Spy:
        takes_mixture, shares_sigma = (
            tiny_model.denoiser.takes_mixture,
            tiny_model.denoiser.shares_sigma,
        )

        def __init__(self):
            self.calls = 0

        def __call__(self, *arguments):
            self.calls += 1
            return tiny_model.denoiser(*arguments)

    spies = [Spy(), Spy()]
    team = dataclasses.replace(tiny_model, denoiser=spies[0], others=(spies[1],))
    for seed in (4, 5):
        shared, alone = (
            generate(team, tmp_path / "shared", 2.0, seed),
            generate(tiny_model, tmp_path / "a", 2.0, seed),
        )
        assert shared.files["drums"].read_bytes() == alone.files["drums"].read_bytes()
        assert [spy.calls for spy in spies] == (
            [shared.calls, 0] if seed == 4 else [shared.calls, shared.calls]
        )


def test_no_length_is_refused(tiny_model, tmp_path):
    with pytest.raises(UnwritableAudio, match="no length"):
        generate(tiny_model, tmp_path, 0.0)


@pytest.mark.parametrize("total", [1, 16384, 16385, 20_000, 100_000])
def test_windows_continue_each_other_without_a_gap(tiny_model, total):
    spec, end = tiny_model.spec, 0
    for window in plan_continuation(spec, total):
        assert window.known_stop == end
        assert window.start <= window.known_stop < window.kept_stop <= window.stop
        assert (
            window.known_stop in (0, window.start + spec.chunk_length // 2)
            or window.kept_stop == total
        )
        end = window.kept_stop
    assert end == total


def test_windows_of_a_spec_without_context(tiny_model):
    spec = dataclasses.replace(tiny_model.spec, context=0)
    starts = [window.start for window in plan_continuation(spec, 3 * spec.chunk_length)]
    assert starts == [0, 8192, 16384, 24576, 32768]
