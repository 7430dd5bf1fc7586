"""The samplers of the paper, and networks of one sigma, in the pipelines."""

import dataclasses

import numpy as np
import pytest
import soundfile
import torch

from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.models.adopt import published_presets
from msdm_cli.models.load import Model
from msdm_cli.networks.unet1d import Unet1d, Unet1dConfig
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.generate import GenerateOptions, generate_song
from msdm_cli.tasks.impute import ImputeOptions, impute_stems
from msdm_cli.tasks.sampling import calls_per_chunk
from msdm_cli.tasks.separate import SeparateOptions, separate_song

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


@pytest.fixture(scope="module")
def paper_model(tiny_model):
    torch.manual_seed(0)
    spec = dataclasses.replace(
        tiny_model.spec,
        architecture="unet1d",
        length_multiple=SMALL.length_multiple,
        sigma_max=20.0,
        presets=published_presets(per_stem=False),
    )
    return Model(spec, TorchDenoiser(Unet1d(SMALL), torch.device("cpu")), tiny_model.runtime)


class Spy:
    """Keeps what a denoiser was asked."""

    def __init__(self, denoiser):
        self.denoiser, self.asked = denoiser, []
        self.takes_mixture, self.shares_sigma = denoiser.takes_mixture, denoiser.shares_sigma

    def __call__(self, x, sigma, mixture=None):
        self.asked.append((x, sigma, mixture))
        return self.denoiser(x, sigma, mixture)


def spied(model):
    return dataclasses.replace(model, denoiser=Spy(model.denoiser))


def read(path):
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


@pytest.mark.parametrize("settings", ["default", "dirac", "gaussian"])
def test_a_network_that_is_not_told_the_mixture_separates_into_stems_that_sum(
    paper_model, write_song, tmp_path, settings
):
    preset = paper_model.spec.preset("separate", settings).with_steps(3)
    song = write_song(seconds=1.5)
    done = separate_song(
        paper_model, song, tmp_path / "out", SeparateOptions(preset, 1), SilentProgress()
    )
    assert done.exact  # whatever the gain
    assert done.calls % calls_per_chunk(preset) == 0
    assert calls_per_chunk(preset) == (3 if settings == "default" else 6)


@pytest.mark.parametrize(("solver", "calls"), [("euler", 3), ("dpmpp_2m", 3), ("heun", 5)])
def test_calls_are_counted_for_every_solver(tiny_model, tmp_path, solver, calls):
    preset = dataclasses.replace(
        tiny_model.spec.preset("generate", "default"), eta=0.0, solver=solver
    )
    done = generate_song(
        tiny_model, tmp_path / "out", GenerateOptions(preset, 1, 0.5), SilentProgress()
    )
    assert done.calls == calls_per_chunk(preset) == calls


def test_one_call_averages_over_moved_music(tiny_model, write_song, tmp_path):
    song, stems, once = write_song(seconds=0.5), {}, tiny_model.spec.preset("separate", "fast")
    for count in (1, 2, 4):
        preset = dataclasses.replace(once, samples=count)
        done = separate_song(
            tiny_model, song, tmp_path / str(count), SeparateOptions(preset, 1), SilentProgress()
        )
        assert done.exact
        assert done.calls == calls_per_chunk(preset) == count
        stems[count] = np.stack([read(path) for path in done.files.values()])
    distances = [np.square(stems[count] - stems[4]).mean() for count in (1, 2)]
    assert distances[0] > distances[1] > 0


@pytest.mark.parametrize("settings", ["dirac", "gaussian"])
def test_the_papers_samplers_do_not_tell_our_network_the_mixture(
    tiny_model, write_song, tmp_path, settings
):
    model, preset = (
        spied(tiny_model),
        published_presets(per_stem=False)["separate"][settings].with_steps(2),
    )
    song = write_song(seconds=0.5)
    done = separate_song(
        model, song, tmp_path / "out", SeparateOptions(preset, 1), SilentProgress()
    )
    assert all(mixture is None for _, _, mixture in model.denoiser.asked)
    assert done.exact  # whatever the gain


@pytest.mark.parametrize("settings", ["default", "published"])
def test_what_is_known_comes_with_noise_where_stems_share_a_sigma(
    paper_model, write_song, tmp_path, settings
):
    drums, model = write_song("drums.wav", 0.5, 22050, 1, "FLOAT"), spied(paper_model)
    options = ImputeOptions(model.spec.preset("impute", settings).with_steps(3), 1, ("piano",))
    done = impute_stems(model, {"drums": drums}, tmp_path / "out", options, SilentProgress())
    assert done.files["drums"].read_bytes() == drums.read_bytes()
    known = read(drums)[:, 0].astype(np.float32)
    for x, sigma, _ in model.denoiser.asked:
        assert (sigma == sigma[0, 0]).all()
        noise = x[0, 1, : len(known)] - known
        # Standard deviation of 11 025 samples: to 3 % with certainty.
        assert noise.std().item() == pytest.approx(sigma[0, 0].item(), rel=0.03)


def test_the_papers_sampler_generates(paper_model, tmp_path):
    preset = paper_model.spec.preset("generate", "published").with_steps(3)
    one, other = (
        generate_song(
            paper_model, tmp_path / name, GenerateOptions(preset, 1, 1.0), SilentProgress()
        )
        for name in ("one", "other")
    )
    assert one.calls == 2 * 3
    for name, path in one.files.items():
        assert path.read_bytes() == other.files[name].read_bytes()


def test_a_sampler_that_has_no_such_condition_is_a_callers_mistake(paper_model, tmp_path):
    preset = paper_model.spec.preset("separate", "dirac").with_steps(2)
    with pytest.raises(ValueError, match="expected a sampler"):
        generate_song(paper_model, tmp_path, GenerateOptions(preset, 1, 0.5), SilentProgress())
