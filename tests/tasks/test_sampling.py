import dataclasses

import numpy as np
import pytest
import torch
from conftest import (
    CPU,
    SpyDenoiser,
    generate,
    impute,
    read_sound,
    replace_denoisers,
    separate,
    spy_on,
)

from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.diffusion.samplers import SAMPLERS, Preset, Sampler
from msdm_cli.diffusion.samplers.consistent import ConsistentOptions
from msdm_cli.diffusion.samplers.regression import RegressionOptions
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.paper_presets import published_presets
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig
from msdm_cli.progress import SilentProgress
from msdm_cli.representations import REPRESENTATIONS
from msdm_cli.tasks.calls import Calls
from msdm_cli.tasks.sampling import ChunkSampler

SMALL = Unet1dConfig(
    channels=32,
    patch_factor=4,
    multipliers=(1, 1, 1),
    factors=(8, 16),
    num_blocks=(1, 1),
    attentions=(False, True),
    heads=2,
    head_features=8,
)


@dataclasses.dataclass(frozen=True)
class NoOptions:
    calls = 0
    uses_noise = True


@pytest.fixture
def add_sampler(monkeypatch):
    """Adds a sampler to the table; gives its preset."""

    def add(algorithm):
        monkeypatch.setitem(SAMPLERS, "toy", Sampler("toy", NoOptions, algorithm))
        return Preset("toy", NoOptions())

    return add


def draw(model, preset, condition, shape, *, seed=3, chunk=0, start=0):
    sampler = ChunkSampler(model, preset, seed, Calls(SilentProgress()))
    return sampler.draw(condition, chunk, start, shape)


def test_noise_is_that_of_the_place_in_the_song(tiny_model, add_sampler):
    preset = add_sampler(lambda denoiser, problem, options: problem.noise(7, 1))
    drawn = draw(tiny_model, preset, Condition(), (2, 4, 300), seed=3, start=20_000)
    field = NoiseField(3, 4).draw(20_000, 300, step=7, sample=1)
    np.testing.assert_array_equal(drawn, [field, field])  # channels share it
    without, zero = (
        draw(tiny_model, preset, Condition(), (1, 4, 300), seed=seed) for seed in (None, 0)
    )
    np.testing.assert_array_equal(without, zero)


def test_stages_draw_different_noise(tiny_cascade, add_sampler):
    preset = add_sampler(lambda denoiser, problem, options: problem.noise(0, 0))
    drawn = [
        draw(tiny_cascade.for_stage(stage), preset, Condition(), (1, 4, 96)) for stage in range(3)
    ]
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert (drawn[one] != drawn[two]).all()
    np.testing.assert_array_equal(drawn[0][0], NoiseField(3, 4).draw(0, 96, step=0))


def test_what_a_network_is_told_is_bound_to_it(tiny_cascade, add_sampler):
    preset = add_sampler(
        lambda denoiser, problem, options: denoiser(np.zeros(problem.shape), np.ones((1, 4)))
    )
    told = np.zeros((1, 4, 97, 4), np.float32)
    sampler = ChunkSampler(tiny_cascade.for_stage(2), preset, 3, Calls(SilentProgress()))

    def bind(told):
        return sampler.draw(
            Condition(),
            0,
            0,
            (1, 4, 240),
            lambda network: lambda x, sigma: network(x, sigma, None, told),
        )

    assert (bind(told) != bind(told - 1)).any()
    assert sampler.calls.count == 2


def test_a_sampler_learns_what_the_network_takes(tiny_model, add_sampler):
    found = []

    def keep(denoiser, problem, options):
        found.append(problem)
        return np.zeros(problem.shape)

    condition = Condition(mixture=np.ones((1, 1024), np.float32))
    draw(tiny_model, add_sampler(keep), condition, (1, 4, 1024))
    (problem,) = found
    assert problem.shape == (1, 4, 1024)
    assert problem.sigma_max == tiny_model.spec.sigma_max
    assert problem.length_multiple == tiny_model.spec.length_multiple
    np.testing.assert_array_equal(problem.condition.mixture, condition.mixture)


def test_a_sampler_works_in_the_representation_of_the_model(tiny_model, add_sampler, monkeypatch):
    class Halved:
        def encode(self, x):
            return x / 2

        def decode(self, z):
            return z * 2

    def answer(denoiser, problem, options):
        mixture, values = problem.condition.mixture, problem.condition.values
        found.append((mixture[0, 0], values[0, 0, 0]))
        return np.repeat(mixture[:, None], 4, 1)

    found = []
    monkeypatch.setitem(REPRESENTATIONS, "halved", Halved())
    stage = dataclasses.replace(tiny_model.spec.stage, representation="halved")
    spec = dataclasses.replace(tiny_model.spec, stages=(stage,))
    model = dataclasses.replace(tiny_model, spec=spec)
    condition = Condition(
        mixture=np.full((1, 8), 6.0),
        values=np.full((1, 4, 8), 3.0),
        known=np.ones((1, 4, 8), bool),
    )
    drawn = draw(model, add_sampler(answer), condition, (1, 4, 8))
    assert found == [(3.0, 1.5)]
    np.testing.assert_array_equal(drawn, np.full((1, 4, 8), 6.0))


def test_chunks_take_turns_on_devices(tiny_model):
    spies = [SpyDenoiser(tiny_model.choose(0)) for _ in range(2)]
    team = replace_denoisers(tiny_model, *spies)
    preset = tiny_model.spec.preset("separate", "fast")
    condition = Condition(mixture=np.zeros((1, 1024), np.float32))
    for chunk in (0, 1, 3):
        draw(team, preset, condition, (1, 4, 1024), chunk=chunk)
    assert [spy.calls for spy in spies] == [1, 2]


@pytest.mark.parametrize(
    "preset",
    [
        Preset("regression", RegressionOptions(estimates=3)),
        Preset("consistent", ConsistentOptions(3, 10.0)),
        Preset("consistent", ConsistentOptions(2, 0.1, samples=2, warm_start=True)),
        *(
            published_presets(per_stem=False)["separate"][name].with_steps(2)
            for name in ("dirac", "gaussian")
        ),
    ],
    ids=["regression", "consistent", "warm start", "dirac", "gaussian"],
)
def test_every_sampler_makes_as_many_calls_as_its_preset_says(tiny_model, preset):
    model, spy = spy_on(tiny_model)
    condition = Condition(mixture=np.zeros((1, 2048), np.float32))
    draw(model, preset, condition, (1, 4, 2048))
    assert spy.calls == preset.calls


@pytest.fixture(scope="module")
def paper_model(tiny_model):
    torch.manual_seed(0)
    stage = dataclasses.replace(
        tiny_model.spec.stage, architecture="unet1d", presets=published_presets(per_stem=False)
    )
    spec = dataclasses.replace(
        tiny_model.spec,
        stages=(stage,),
        length_multiple=SMALL.length_multiple,
        sigma_max=20.0,
    )
    return LoadedModel(spec, (TorchDenoiser(Unet1d(SMALL), torch.device("cpu")),), CPU)


@pytest.mark.parametrize(("settings", "calls"), [("default", 3), ("dirac", 6), ("gaussian", 6)])
def test_a_network_without_the_mixture_separates_into_stems_that_sum(
    paper_model, write_song, tmp_path, settings, calls
):
    preset = paper_model.spec.preset("separate", settings).with_steps(3)
    result = separate(paper_model, write_song(seconds=1.5), tmp_path / "out", preset=preset, seed=1)
    assert result.exact  # whatever the gain
    assert preset.calls == calls
    assert result.calls == 3 * calls


def test_one_call_averages_over_moved_music(tiny_model, write_song, tmp_path):
    song = write_song(seconds=0.5)
    stems = {}
    for count in (1, 2, 4):
        preset = Preset("regression", RegressionOptions(estimates=count))
        result = separate(tiny_model, song, tmp_path / str(count), preset=preset)
        assert result.exact
        assert result.calls == count
        stems[count] = np.stack([read_sound(path) for path in result.files.values()])
    distances = [np.square(stems[count] - stems[4]).mean() for count in (1, 2)]
    assert distances[0] > distances[1] > 0


@pytest.mark.parametrize("settings", ["dirac", "gaussian"])
def test_the_papers_samplers_leave_the_mixture_out_of_our_network(
    tiny_model, write_song, tmp_path, settings
):
    model, spy = spy_on(tiny_model)
    preset = published_presets(per_stem=False)["separate"][settings].with_steps(2)
    result = separate(model, write_song(seconds=0.5), tmp_path / "out", preset=preset, seed=1)
    assert spy.calls == result.calls > 0
    assert all(mixture is None for _, _, mixture in spy.asked)
    assert result.exact  # whatever the gain


@pytest.mark.parametrize("settings", ["default", "published"])
def test_what_is_known_comes_with_noise_where_stems_share_a_sigma(
    paper_model, write_song, tmp_path, settings
):
    drums = write_song("drums.wav", 0.5, 22050, 1, "FLOAT")
    model, spy = spy_on(paper_model)
    preset = model.spec.preset("impute", settings).with_steps(3)
    result = impute(model, {"drums": drums}, tmp_path / "out", preset=preset)
    assert result.files["drums"].read_bytes() == drums.read_bytes()
    known = read_sound(drums)[0].astype(np.float32)
    assert spy.calls == 3
    for x, sigma, _ in spy.asked:
        assert (sigma == sigma[0, 0]).all()
        noise = x[0, 1, : len(known)] - known
        # The standard deviation of 11 025 samples is known to 0.7 %: within 4 times that.
        assert noise.std().item() == pytest.approx(sigma[0, 0].item(), rel=0.03)


def test_the_papers_sampler_generates(paper_model, tmp_path):
    preset = paper_model.spec.preset("generate", "published").with_steps(3)
    one, other = (
        generate(paper_model, tmp_path / name, 1.0, preset=preset) for name in ("one", "other")
    )
    assert one.calls == 2 * 3
    for name, path in one.files.items():
        assert path.read_bytes() == other.files[name].read_bytes()


def test_a_sampler_that_has_no_such_condition_is_a_callers_mistake(paper_model, tmp_path):
    preset = paper_model.spec.preset("separate", "dirac").with_steps(2)
    with pytest.raises(ValueError, match="expected a mixture, got none"):
        generate(paper_model, tmp_path, 0.5, preset=preset)
