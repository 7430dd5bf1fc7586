"""What several tests share: a small model with random weights, songs, and jobs."""

import contextlib
import dataclasses
import json
import os
import pickle
import shutil

os.environ.setdefault("OMP_NUM_THREADS", "2")
# Tests that import ONNX Runtime before msdm does tell nobody either.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import settings

from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.diffusion.samplers.consistent import ConsistentOptions
from msdm_cli.diffusion.samplers.regression import RegressionOptions
from msdm_cli.jobs.executors import Executor, attempt
from msdm_cli.jobs.output import OutputOptions
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.run import run_job
from msdm_cli.models.load import LoadedModel
from msdm_cli.models.spec import ModelSpec, Stage
from msdm_cli.networks.sketch_envelope import SketchEnvelope, SketchEnvelopeConfig
from msdm_cli.networks.sketch_prior import SketchPrior, SketchPriorConfig
from msdm_cli.networks.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.representations.sketch_codes import FRAMES_PER_TOKEN, SketchCodes
from msdm_cli.tasks.separate import SONG
from msdm_cli.tasks.table import TASKS

# CI tries the same inputs each time, so that it fails for what was changed. Elsewhere they are new.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

CPU = Runtime("torch", "cpu", "fp32")
STEMS = ("bass", "drums", "guitar", "piano")
FIVE_STEMS = ("vocals", *STEMS)
TINY = StftUnetConfig(channels=(8, 16), blocks=(1, 1), attention_layers=2, heads=2, embedding=16)
WAIT_SECONDS = 60
"""How long a test waits for another thread or process before it fails; it never takes that long."""


def run_by_post(requests, work, workers, stop):
    """An executor whose jobs and results leave this process, as letters."""
    for name, request in requests.items():
        letter = json.dumps(request.to_json())
        send = pickle.loads(pickle.dumps(work))
        ended = attempt(name, JobRequest.from_json(json.loads(letter)), send)
        yield pickle.loads(pickle.dumps(ended))


BY_POST = Executor(run_by_post, here=False)


def tiny_network(seed=0, config=TINY):
    torch.manual_seed(seed)
    network = StftUnet(config)
    with torch.no_grad():
        # The last layer starts at zero, where it would do nothing.
        for weight in network.merge.weights:
            weight.normal_(0, 0.02)
        network.sd.copy_(torch.rand_like(network.sd) * 0.1 + 0.01)
    return network


@pytest.fixture(scope="session")
def tiny_model():
    return make_tiny_model()


def make_tiny_model(stems=STEMS):
    config = dataclasses.replace(TINY, stems=len(stems))
    regression = Preset("regression", RegressionOptions(sigma_max=0.1))
    refined = ConsistentOptions(num_steps=2, sigma_max=0.1, warm_start=True, samples=2)
    cold = Preset("consistent", ConsistentOptions(num_steps=3, sigma_max=10.0))
    stage = Stage(
        architecture="stft_unet",
        config=json.loads(json.dumps(dataclasses.asdict(config))),
        representation="waveform",
        presets={
            "separate": {"fast": regression, "default": Preset("consistent", refined)},
            "impute": {"default": cold},
            "generate": {"default": cold},
        },
    )
    spec = ModelSpec(
        name="tiny",
        stems=tuple(stems),
        sample_rate=22050,
        chunk_length=16384,
        context=1024,
        length_multiple=config.length_multiple,
        sigma_max=config.sigma_max,
        stages=(stage,),
    )
    denoiser = TorchDenoiser(tiny_network(config=config), torch.device("cpu"))
    return LoadedModel(spec, (denoiser,), CPU)


def make_codes(stems=4, bands=96, numbers=6, seed=0):
    """Codes in a random basis, of sketches around -30 dB."""
    rng = np.random.default_rng(seed)
    size = bands * FRAMES_PER_TOKEN
    basis = np.stack([np.linalg.qr(rng.standard_normal((size, numbers)))[0] for _ in range(stems)])
    mean = -3 + 0.5 * rng.standard_normal((stems, size))
    variance = np.tile(4.0 / np.arange(1, numbers + 1) ** 2, (stems, 1))
    return SketchCodes(*(value.astype(np.float32) for value in (mean, basis, variance)))


def stir(make):
    """A new network whose weights, those that begin at zero too, are random numbers."""
    torch.manual_seed(7)  # before its weights begin, too: they are the same in any order of tests
    network = make()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return network


TINY_PRIOR = SketchPriorConfig(coefficients=6, width=16, layers=1, heads=2)
TINY_ENVELOPE = SketchEnvelopeConfig(hidden=4)


def tiny_prior(config=TINY_PRIOR):
    """A prior over sketches with random codes."""
    network = stir(lambda: SketchPrior(config))
    codes = make_codes(config.stems, config.bands, config.coefficients)
    for name in ("mean", "basis", "variance"):
        getattr(network, name).copy_(torch.from_numpy(getattr(codes, name)))
    return network


def tiny_envelope(config=TINY_ENVELOPE):
    """A network that guesses the envelopes of sketches."""
    return stir(lambda: SketchEnvelope(config))


def describe_stage(name, representation, preset, network, **fields):
    """A stage that does imputation and generation."""
    config = json.loads(json.dumps(dataclasses.asdict(network.config)))
    presets = {"impute": {"default": preset}, "generate": {"default": preset}}
    architecture = f"sketch_{'prior' if representation == 'sketch' else 'envelope'}"
    return Stage(architecture, config, representation, presets, name, **fields)


@pytest.fixture(scope="session")
def cascade_networks(tiny_model):
    """The networks of ``tiny_cascade``: it separates, draws sketches, and guesses envelopes."""
    return tiny_model.choose(0).network, tiny_prior(), tiny_envelope()


@pytest.fixture(scope="session")
def tiny_cascade(tiny_model, cascade_networks):
    """A model that separates in one stage, and makes music in two.

    Chunks are 8 tokens long, of which the last one is thrown away.
    """
    _, prior, envelope = cascade_networks
    sketch = Preset("consistent", ConsistentOptions(num_steps=3, sigma_max=20.0, eta=0.5))
    sound = Preset("consistent", ConsistentOptions(num_steps=1, sigma_max=1.0))
    separation = {"separate": tiny_model.spec.list_presets("separate")}
    stages = (
        dataclasses.replace(tiny_model.spec.stage, presets=separation),
        describe_stage("sketch", "sketch", sketch, prior, guidance=2.0),
        describe_stage("sound", "envelope", sound, envelope, told_error=0.2),
    )
    spec = dataclasses.replace(
        tiny_model.spec,
        name="tiny-cascade",
        chunk_length=16384,
        context=2048,
        length_multiple=2048,
        stages=stages,
    )
    cpu = torch.device("cpu")
    denoisers = (tiny_model.choose(0), TorchDenoiser(prior, cpu), TorchDenoiser(envelope, cpu))
    opener = denoisers.__getitem__
    return LoadedModel(
        spec,
        denoisers[:1],
        CPU,
        openers=(opener,),
        codes=make_codes(),
    )


def spy_on_stages(model, before=lambda number: None):
    """A cascade with a spy in the place of every network, and the spies by stage.

    ``before`` gets the number of each call of the sound.
    """
    opener = model.openers[0]
    last = len(model.spec.stages) - 1
    spies = [
        SpyDenoiser(opener(stage), *(() if stage < last else (before,)))
        for stage in range(last + 1)
    ]
    watched = replace_denoisers(model, spies[0])
    return dataclasses.replace(watched, openers=(spies.__getitem__,)), spies


class SpyDenoiser:
    """Keeps what a denoiser was asked, and calls ``before`` with the number of each call."""

    def __init__(self, denoiser, before=lambda number: None):
        self.asked = []
        self.told = []
        self.takes_mixture = denoiser.takes_mixture
        self.shares_sigma = denoiser.shares_sigma
        self._denoiser = denoiser
        self._before = before

    def __call__(self, x, sigma, mixture=None, *told):
        self.asked.append((x, sigma, mixture))
        self.told.append(*(told or (None,)))
        self._before(len(self.asked))
        return self._denoiser(x, sigma, mixture, *told)

    @property
    def calls(self):
        return len(self.asked)


class MemoryStore:
    """Keeps chunks in memory."""

    def __init__(self):
        self.chunks = {}

    def load(self, index):
        return self.chunks.get(index)

    def save(self, index, chunk):
        self.chunks[index] = chunk


def replace_denoisers(model, *denoisers):
    return dataclasses.replace(model, denoisers=denoisers)


def spy_on(model, before=lambda number: None):
    """A model with a spy in the place of its network, and the spy."""
    spy = SpyDenoiser(model.choose(0), before)
    return replace_denoisers(model, spy), spy


def make_request(model, task, inputs, folder, *, quality="default", preset=None, **fields):
    """A job. Fields are those of the task's options and of the request, side by side."""
    kind = TASKS[task].options
    names = {field.name for field in dataclasses.fields(kind)}
    options = {name: value for name, value in fields.items() if name in names}
    rest = {name: value for name, value in fields.items() if name not in names}
    sketch = {"sketch": model.spec.sketch_preset(task, quality)} if "sketch" in names else {}
    return JobRequest(
        task=task,
        model=model.spec.name,
        runtime=model.runtime,
        options=kind(preset or model.spec.preset(task, quality), **sketch | options),
        inputs=inputs,
        folder=folder,
        **rest,
    )


def request_separation(model, song, folder, **fields):
    given = {"track": song.stem, "quality": "fast", "seed": 5} | fields
    return make_request(model, "separate", {SONG: song}, folder, **given)


def request_imputation(model, given, folder, **fields):
    usual = {"seed": 1, "targets": ("piano",), "output": OutputOptions(name="{stem}.{ext}")}
    return make_request(model, "impute", given, folder, **usual | fields)


def request_generation(model, folder, seconds, seed=1, **fields):
    given = {"track": f"seed-{seed}"} | fields
    inputs = given.pop("inputs", {})
    return make_request(model, "generate", inputs, folder, seconds=seconds, seed=seed, **given)


def separate(model, song, folder, **fields):
    return run_job(request_separation(model, song, folder, **fields), model)


def impute(model, given, folder, **fields):
    return run_job(request_imputation(model, given, folder, **fields), model)


def generate(model, folder, seconds, **fields):
    return run_job(request_generation(model, folder, seconds, **fields), model)


def read_sound(path):
    """The samples of a file in double precision, ``[C, T]``."""
    return soundfile.read(path, dtype="float64", always_2d=True)[0].T


def sum_sounds(result):
    """The sum of the files of a job, ``[C, T]``."""
    return sum(read_sound(path) for path in result.files.values())


def list_files(folder):
    """The files in a folder and below, by their path in it."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def music(frames, channels=1, rate=22050, seed=0):
    """A few decaying tones and clicks, ``[C, T]``, below full scale."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / rate
    tones = sum(
        np.sin(2 * np.pi * pitch * time[None] + phase) * np.exp(-3 * (time % 0.5))
        for pitch, phase in zip(
            (55, 220, 330, 5000), rng.uniform(0, 6, (4, channels, 1)), strict=True
        )
    )
    clicks = rng.standard_normal((channels, frames)) * np.exp(-40 * (time % 0.25))
    return ((tones * 0.1 + clicks * 0.2) * 0.5).clip(-0.9, 0.9).astype(np.float32)


@pytest.fixture
def museval(tmp_path_factory):
    """museval, which cannot be imported without ffmpeg, though its metrics do not need it."""
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        folder = tmp_path_factory.mktemp("programs")
        for name in ("ffmpeg", "ffprobe"):
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        os.environ["PATH"] += os.pathsep + str(folder)
    return pytest.importorskip("museval")


@pytest.fixture
def limit_file_size():
    """Makes writes beyond a size fail in a ``with`` block, as on a full disk.

    Only in the block: pytest itself may write to a file.
    """
    resource = pytest.importorskip("resource")

    @contextlib.contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture
def write_song(tmp_path):
    def write(name="song.wav", seconds=2.0, rate=44100, channels=2, subtype="PCM_16", seed=0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, music(int(seconds * rate), channels, rate, seed).T, rate, subtype)
        return path

    return write


PAPER_SIZE = {
    "in_channels": 4,
    "channels": 32,
    "patch_blocks": 1,
    "patch_factor": 4,
    "multipliers": [1, 2, 2],
    "factors": [4, 2],
    "num_blocks": [2, 2],
    "attentions": [False, True],
    "attention_heads": 2,
    "attention_features": 8,
    "attention_multiplier": 2,
    "resnet_groups": 8,
    "kernel_multiplier_downsample": 2,
    "kernel_sizes_init": [1, 3, 7],
    "use_nearest_upsample": False,
    "use_skip_scale": True,
    "use_attention_bottleneck": True,
    "use_context_time": True,
}


def lightning_checkpoint(stems=4, changed=None, **more):
    """What Lightning saves of the authors' module.

    ``changed`` are hyper-parameters that differ, ``more`` are entries of the checkpoint.

    Every tensor is there twice, and an object is among the hyper-parameters.
    """
    peer = pytest.importorskip("audio_diffusion_pytorch")
    size = PAPER_SIZE | {"in_channels": stems}
    settings = {"diffusion_sigma_data": 0.2, "diffusion_dynamic_threshold": 0.0}
    for name, value in (changed or {}).items():
        (settings if name in settings else size)[name] = value
    distribution = peer.LogNormalDistribution(-3.0, 1.0)
    model = peer.model.Model1d(diffusion_sigma_distribution=distribution, **settings, **size)
    settings |= {"learning_rate": 1e-4, "diffusion_sigma_distribution": distribution}
    checkpoint = {
        "epoch": 419,
        "global_step": 1000,
        "pytorch-lightning_version": "1.7.7",
        "state_dict": {f"model.{name}": value for name, value in model.state_dict().items()},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.014)}},
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-4}]}],
        "hyper_parameters": {**size, **settings},
    }
    return model, checkpoint | more
