import dataclasses
import hashlib
import json
import shutil
import threading
from dataclasses import dataclass

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import CPU, TINY, generate, read_sound
from run_msdm import store_tiny_cascade
from safetensors.torch import load_file, save_file

from msdm_cli.backends import torch_backend
from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.conditions import mixture_condition
from msdm_cli.diffusion.samplers import SAMPLERS, Preset, Problem
from msdm_cli.errors import (
    BackendUnavailable,
    ChecksumMismatch,
    MismatchedWeights,
    MissingWeights,
    UnknownModel,
)
from msdm_cli.models import registry
from msdm_cli.models.adopt import store_model
from msdm_cli.models.load import keep_exact, load
from msdm_cli.models.paper_presets import published_presets
from msdm_cli.models.registry import ENTRY, weights_folder
from msdm_cli.models.spec import ModelSpec, Stage
from msdm_cli.networks.architectures import ARCHITECTURES
from msdm_cli.networks.network import Architecture, Network
from msdm_cli.networks.sketch_envelope import SketchEnvelope
from msdm_cli.networks.sketch_prior import SketchPrior
from msdm_cli.networks.stft_unet import StftUnet
from msdm_cli.representations import REPRESENTATIONS


@pytest.fixture
def copied_weights(tmp_path, monkeypatch):
    """A copy of the shipped weights that a test may break."""
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder(), folder)
    monkeypatch.setattr(registry, "weights_folder", lambda: folder)
    return folder


def test_the_embedded_model_separates_into_finite_stems_that_sum():
    model = load("embedded", Runtime(device="cpu"))
    mixture = 0.1 * np.random.default_rng(0).standard_normal((1, 4 * model.spec.length_multiple))
    sigma = np.full((1, 4), model.spec.sigma_max)
    stems = model.choose(0)(np.zeros((1, 4, mixture.shape[1])), sigma, mixture)
    # Float32 rounding of the transforms.
    np.testing.assert_allclose(stems.sum(1), mixture, atol=5e-6)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownModel) as caught:
        load("nonsense", Runtime())
    assert "embedded" in caught.value.remedy


def test_a_missing_file_is_an_error(copied_weights):
    (copied_weights / "embedded.safetensors").unlink()
    with pytest.raises(MissingWeights):
        load("embedded", Runtime(device="cpu"))


def test_a_changed_file_is_an_error(copied_weights):
    path = copied_weights / "embedded.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ChecksumMismatch):
        load("embedded", Runtime(device="cpu"))


def test_weights_that_do_not_fit_their_spec_are_an_error(copied_weights, monkeypatch):
    path = copied_weights / "embedded.safetensors"
    tensors = load_file(path)
    tensors.pop("sd")
    save_file(tensors, path)
    entries = json.loads((copied_weights / "registry.json").read_text())
    entries["embedded"]["weights"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (copied_weights / "registry.json").write_text(json.dumps(entries))
    with pytest.raises(MismatchedWeights, match="does not fit"):
        load("embedded", Runtime(device="cpu"))


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_several_devices_are_the_same_network_several_times(backend):
    model = load("embedded", Runtime(backend, "cpu,cpu"))
    assert (model.devices, model.runtime.device) == (2, "cpu,cpu")
    first = model.choose(6)
    second = model.choose(7)
    assert first is model.denoisers[0]
    assert first is not second
    x = np.random.default_rng(0).standard_normal((1, 4, 8192))
    sigma = np.ones((1, 4))
    np.testing.assert_array_equal(first(x, sigma), second(x, sigma))


def test_devices_that_would_compute_differently_are_refused(monkeypatch):
    precisions = iter(["bf16", "fp32"])
    monkeypatch.setattr(torch_backend, "resolve_precision", lambda name, device: next(precisions))
    with pytest.raises(BackendUnavailable, match="cpu would compute in bf16, cpu in fp32"):
        load("embedded", Runtime("torch", "cpu,cpu"))


@pytest.mark.parametrize("device", ["cpu,cuda:99", "cpu,", ","])
def test_one_device_that_is_not_there_is_enough_to_refuse(device):
    with pytest.raises(BackendUnavailable):
        load("embedded", Runtime("torch", device))


@dataclass(frozen=True)
class ToyConfig:
    """Size of a network that scales each stem."""

    stems: int
    length_multiple: int = 4


class ToyNetwork(Network):
    takes_mixture = False
    shares_sigma = True

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.gains = torch.nn.Parameter(torch.ones(config.stems, 1))

    def cast(self, dtype):
        self.gains.data = self.gains.data.to(dtype)

    def forward(self, x, sigma, mixture=None):
        return (self.gains * x).to(x.dtype)


class Doubled:
    """A representation with twice the amplitude."""

    def encode(self, x):
        return 2 * x

    def decode(self, z):
        return z / 2


@pytest.fixture
def toy_tables(tmp_path, monkeypatch):
    """A toy architecture and a toy representation, each added to its table as one row."""
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(ARCHITECTURES, "toy", Architecture("toy", ToyConfig, ToyNetwork))
    monkeypatch.setitem(REPRESENTATIONS, "doubled", Doubled())


def toy_spec(names, **config):
    preset = Preset.from_json({"sampler": "consistent", "num_steps": 1, "sigma_max": 1.0})
    stage = Stage("toy", config, "doubled", {"generate": {"fast": preset}})
    return ModelSpec("mine", names, 8000, 64, 8, 8, 1.0, (stage,))


@pytest.mark.usefixtures("toy_tables")
def test_a_new_architecture_and_a_new_representation_are_one_row_each():
    stems = ("voice", "flute", "harp", "bass", "drums")
    gains = torch.rand(5, 1)
    store_model({"": {"gains": gains}}, toy_spec(stems, stems=5), "for a test", "none")
    model = load("mine", Runtime("torch", "cpu", "fp32"))
    assert model.spec.stems == stems
    assert not model.takes_mixture
    x = np.random.default_rng(0).standard_normal((1, 5, 16), np.float32)
    estimate = model.choose(0)(model.representation.encode(x), np.ones((1, 5), np.float32))
    np.testing.assert_array_equal(model.representation.decode(estimate), gains.numpy() * x)


@pytest.mark.usefixtures("toy_tables")
@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"stems": 3}, "3 stems, 2 names"),
        ({"stems": 2, "length_multiple": 3}, "takes multiples of 3"),
        ({"stems": 2, "tails": 1, "length_multiple": "a"}, "Expected `int`"),
    ],
)
def test_a_spec_that_does_not_fit_its_network_is_an_error(config, reason):
    gains = torch.ones(config["stems"], 1)
    store_model(
        {"": {"gains": gains}}, toy_spec(("voice", "flute"), **config), "for a test", "none"
    )
    with pytest.raises(MismatchedWeights, match=reason):
        load("mine", Runtime("torch", "cpu"))


def test_a_model_of_five_stems_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    config = dataclasses.replace(TINY, stems=5)
    preset = Preset.from_json({"sampler": "regression", "estimates": 2})
    fields = dataclasses.asdict(config)
    stage = Stage("stft_unet", fields, "waveform", {"separate": {"default": preset}})
    names = ("bass", "drums", "guitar", "piano", "voice")
    multiple = config.length_multiple
    spec = ModelSpec("quintet", names, 22050, 8 * multiple, multiple, multiple, 10.0, (stage,))
    store_model({"": StftUnet(config).state_dict()}, spec, "for a test", "none")
    model = load("quintet", Runtime("torch", "cpu", "fp32"))
    shape = (1, 5, 2 * multiple)
    mixture = np.random.default_rng(0).standard_normal((1, shape[2]), np.float32)
    problem = Problem(
        mixture_condition(mixture, takes_mixture=model.takes_mixture),
        shape,
        lambda number, sample: np.zeros(shape, np.float32),
        model.spec.sigma_max,
        model.spec.length_multiple,
    )
    chosen = model.spec.preset("separate", "default")
    stems = SAMPLERS[chosen.sampler].draw(model.choose(0), problem, chosen.options)
    assert stems.shape == shape
    # Float32 rounding of the transforms, of samples of the order of 1.
    np.testing.assert_allclose(stems.sum(1), mixture, atol=1e-5)


@pytest.fixture
def stored_cascade(tiny_cascade, cascade_networks, tmp_path, monkeypatch):
    """The folder of a stored model of three stages."""
    monkeypatch.setenv("MSDM_CACHE", str(tmp_path / "cache"))
    store_tiny_cascade(tmp_path / "cache", tiny_cascade.spec, cascade_networks)
    return tmp_path / "cache" / tiny_cascade.spec.name


def test_a_model_of_three_stages_makes_the_music_of_its_networks(
    stored_cascade, tiny_cascade, tmp_path
):
    loaded = load("tiny-cascade", CPU)
    assert loaded.spec == tiny_cascade.spec
    for name in ("mean", "basis", "variance"):
        codes = getattr(loaded.codes, name)
        np.testing.assert_array_equal(codes, getattr(tiny_cascade.codes, name))
    results = [
        generate(model, tmp_path / folder, 0.2)
        for folder, model in (("stored", loaded), ("there", tiny_cascade))
    ]
    one, two = ([read_sound(path) for path in result.files.values()] for result in results)
    # Weights that lie elsewhere in memory round differently, here and there up to a bit of 16.
    np.testing.assert_allclose(one, two, atol=2**-15)
    assert np.abs(one).max() > 0


def test_a_stage_is_loaded_when_it_is_first_used(stored_cascade):
    sound = stored_cascade / "tiny-cascade-sound.safetensors"
    content = sound.read_bytes()
    sound.unlink()
    model = load("tiny-cascade", CPU)
    assert model.for_stage(0) is model
    assert model.for_stage(1).denoisers == model.for_stage(1).denoisers
    assert isinstance(model.for_stage(1).choose(0).network, SketchPrior)
    with pytest.raises(MissingWeights, match="sound"):
        model.for_stage(2)
    sound.write_bytes(content)
    staged = model.for_stage(2)
    assert (staged.stage, staged.for_stage(2)) == (2, staged)
    assert isinstance(staged.choose(0).network, SketchEnvelope)


def test_stages_are_on_all_devices(stored_cascade):
    model = load("tiny-cascade", Runtime("torch", "cpu,cpu", "fp32"))
    staged = model.for_stage(1)
    assert (staged.devices, len(staged.openers)) == (2, 2)
    assert staged.choose(0) is not staged.choose(1)
    assert model.keep(1).for_stage(1).choose(0) is staged.choose(1)


def test_weights_of_a_stage_that_changed_are_an_error(stored_cascade):
    path = stored_cascade / "tiny-cascade-sketch.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ChecksumMismatch, match="sketch"):
        load("tiny-cascade", CPU)


def test_a_stage_without_weights_in_the_entry_is_an_error(stored_cascade):
    path = stored_cascade / ENTRY
    record = json.loads(path.read_text())
    del record["stages"]["sound"]
    path.write_text(json.dumps(record))
    model = load("tiny-cascade", CPU)
    with pytest.raises(MissingWeights, match="no weights of its stage sound"):
        model.for_stage(2)


def test_all_weights_are_in_the_digest(stored_cascade):
    path = stored_cascade / ENTRY
    before = load("tiny-cascade", CPU).weights_sha256
    record = json.loads(path.read_text())
    assert before not in str(record)
    record["stages"]["sound"]["sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    assert load("tiny-cascade", CPU).weights_sha256 != before


def test_a_model_that_is_kept_on_one_device_has_one():
    model = load("embedded", Runtime("torch", "cpu,cpu"))
    kept = model.keep(1)
    assert kept.devices == 1
    assert kept.choose(0) is kept.choose(5) is model.choose(1)
    assert type(kept) is type(model)


@pytest.fixture
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def ask(model, seed=0):
    x = 0.1 * np.random.default_rng(seed).standard_normal((1, 4, 8192), np.float32)
    return model.choose(0)(x, np.full((1, 4), 0.3), x.sum(1))


def test_the_number_of_threads_is_set_and_kept(threads_as_before):
    one = load("embedded", Runtime("torch", "cpu", "fp32", 1))
    assert one.runtime.threads == torch.get_num_threads() == 1
    expected = ask(one)
    found = []
    # OpenMP has a number of threads for each thread.
    thread = threading.Thread(target=lambda: found.append((ask(one), torch.get_num_threads())))
    thread.start()
    thread.join()
    assert np.array_equal(found[0][0], expected)
    assert found[0][1] == 1
    three = load("embedded", Runtime("torch", "cpu", "fp32", 3))
    assert three.runtime.threads == torch.get_num_threads() == 3
    np.testing.assert_allclose(ask(three), expected, atol=1e-5)


def test_threads_that_are_left_open_are_those_of_pytorch(threads_as_before):
    torch.set_num_threads(3)
    assert load("embedded", Runtime("torch", "cpu", "fp32")).runtime.threads == 3
    assert load("embedded", Runtime("torch", "cpu,cpu", "fp32", 2)).runtime.threads == 2


@pytest.mark.parametrize("threads", [0, 1])
def test_onnx_runtime_takes_as_many_threads(monkeypatch, threads):
    kept = []
    session = onnxruntime.InferenceSession

    def open_session(path, settings, providers):
        kept.append(settings.intra_op_num_threads)
        return session(path, settings, providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", open_session)
    model = load("embedded", Runtime("onnx", "cpu", "fp32", threads))
    assert model.runtime.threads == threads
    assert kept == [threads]


@pytest.mark.parametrize(
    ("asked", "sampler", "found"),
    [
        (Runtime(), "dirac", "fp32"),
        (Runtime(), "gaussian", "fp32"),
        (Runtime("torch", "cpu", "bf16"), "dirac", "bf16"),
        (Runtime("onnx"), "dirac", "auto"),
        (Runtime(), "default", "auto"),
    ],
)
def test_samplers_of_the_paper_compute_in_single_precision(asked, sampler, found):
    preset = published_presets(per_stem=False)["separate"][sampler]
    assert keep_exact(asked, preset) == dataclasses.replace(asked, precision=found)
