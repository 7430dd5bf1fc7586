"""One contract for every backend: PyTorch, and ONNX Runtime on exported graphs."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import tiny_network
from onnxruntime.capi import onnxruntime_pybind11_state as state
from safetensors.torch import save_file

from msdm_cli.backends.onnx_backend import OnnxDenoiser, resolve_provider
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.errors import BackendUnavailable
from msdm_cli.networks.unet1d import Unet1d
from scripts.golden import SMALL

# Relative to the largest sample: rounding (6e-8 in fp32, 5e-4 in fp16, 4e-3 in bf16) through some
# thirty layers.
ROUNDING = {"fp32": 1e-5, "fp16": 5e-3, "bf16": 5e-2}
CPU = torch.device("cpu")


def paper_network():
    torch.manual_seed(0)
    return Unet1d(SMALL)


NETWORKS = {"embedded": tiny_network, "paper": paper_network}


def keep_half(network):
    """Weights as they ship: in half precision, except the spectra."""
    tensors = {
        name: value if name == "sd" else value.half()
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(tensors)
    return tensors


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """Graphs of a network in a precision, written when they are first asked for."""
    written = {}

    def write(name, precision):
        onnx_graph = pytest.importorskip("msdm_cli.models.onnx_graph")
        if (name, precision) not in written:
            folder = tmp_path_factory.mktemp("graph")
            network = NETWORKS[name]()
            tensors = keep_half(network) if precision == "fp16" else network.state_dict()
            save_file(
                {key: value.contiguous() for key, value in tensors.items()},
                folder / "w.safetensors",
            )
            written[name, precision] = folder / "graph.onnx"
            onnx_graph.write_graph(
                network, folder / "w.safetensors", folder / "graph.onnx", precision
            )
        return written[name, precision]

    return write


@pytest.fixture(
    params=[
        (name, backend, precision)
        for name in NETWORKS
        for backend, precision in (
            ("torch", "bf16"),
            ("torch", "fp16"),
            ("onnx", "fp32"),
            ("onnx", "fp16"),
        )
    ],
    ids="-".join,
)
def pair(request, graphs):
    """A denoiser, the same by PyTorch in single precision, and how much they may differ."""
    name, backend, precision = request.param
    exact = NETWORKS[name]()
    network = NETWORKS[name]()
    if backend == "onnx":
        denoiser = OnnxDenoiser(graphs(name, precision), "cpu")
        if precision == "fp16":
            keep_half(exact)
    else:
        denoiser = TorchDenoiser(network, CPU, precision)
    return denoiser, TorchDenoiser(exact, CPU), ROUNDING[precision], exact.config.length_multiple


def test_an_item_does_not_depend_on_the_batch(pair):
    denoiser, exact, _, multiple = pair
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 4, 2 * multiple))
    sigma = np.repeat([[0.1], [1.0], [3.0]], 4, 1)
    mixture = x.sum(1) if exact.takes_mixture else None
    for network in (denoiser, exact):
        alone = [
            network(x[[i]], sigma[[i]], None if mixture is None else mixture[[i]]) for i in range(3)
        ]
        np.testing.assert_array_equal(network(x, sigma, mixture), np.concatenate(alone))


@pytest.mark.parametrize(("batch", "multiples"), [(1, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize("with_mixture", [True, False])
def test_a_backend_gives_what_torch_gives_in_single_precision(pair, batch, multiples, with_mixture):
    denoiser, exact, rounding, multiple = pair
    assert (denoiser.takes_mixture, denoiser.shares_sigma) == (
        exact.takes_mixture,
        exact.shares_sigma,
    )
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 4, multiples * multiple))
    sigma = np.repeat(np.exp(rng.uniform(-4, 2, (batch, 1))), 4, 1)
    mixture = x.sum(1) if with_mixture and exact.takes_mixture else None
    found = denoiser(x, sigma, mixture)
    expected = exact(x, sigma, mixture)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=rounding * np.abs(expected).max())
    if (
        mixture is not None
    ):  # sums are exact in every precision: shares are taken in single precision
        np.testing.assert_allclose(found.sum(1), mixture, atol=1e-5 * np.abs(mixture).max())


def test_a_graph_holds_no_weights(graphs):
    path = graphs("embedded", "fp32")
    kept = path.with_name("w.safetensors").stat().st_size
    assert path.stat().st_size < 1e6 < kept
    assert str(path.parent) not in path.read_bytes().decode("latin1")


def test_onnx_runs_without_torch(graphs):
    program = (
        "import sys; import numpy as np; from pathlib import Path; "
        "from msdm_cli.backends.onnx_backend import OnnxDenoiser; "
        f"d = OnnxDenoiser(Path({str(graphs('embedded', 'fp32'))!r})); "
        "assert d(np.zeros((1, 4, 4096)), np.ones((1, 4))).shape == (1, 4, 4096); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_length_that_the_network_does_not_take_is_a_two_line_error(graphs):
    denoiser = OnnxDenoiser(graphs("embedded", "fp32"))
    with pytest.raises(BackendUnavailable, match="ONNX Runtime failed") as caught:
        denoiser(np.zeros((1, 4, 1000)), np.ones((1, 4)))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "reason", "full"),
    [
        (
            state.Fail,
            "Non-zero status code returned while running Concat. Failed to allocate memory for r",
            True,
        ),
        (state.RuntimeException, "CUDA failure 2: out of memory ; GPU=0", True),
        (state.Fail, "CUDNN failure 3: CUDNN_STATUS_BAD_PARAM", False),
    ],
)
def test_a_full_device_differs_from_other_failures(monkeypatch, graphs, kind, reason, full):
    denoiser = OnnxDenoiser(graphs("embedded", "fp32"))
    session = denoiser._session
    sizes = []

    class Full:
        def run(self, names, feed):
            sizes.append(len(feed["x"]))
            if len(feed["x"]) > 1:
                raise kind(reason)
            return session.run(names, feed)

    x = np.random.default_rng(0).standard_normal((2, 4, 4096))
    sigma = np.ones((2, 4))
    whole = denoiser(x, sigma)
    monkeypatch.setattr(denoiser, "_session", Full())
    monkeypatch.setattr(denoiser, "device", "cuda")  # which gets a batch as a whole
    if full:
        np.testing.assert_array_equal(denoiser(x, sigma), whole)
        assert sizes == [2, 1, 1]
    else:
        with pytest.raises(BackendUnavailable, match="CUDNN_STATUS"):
            denoiser(x, sigma)


def test_a_damaged_graph_is_a_two_line_error(tmp_path):
    (tmp_path / "graph.onnx").write_bytes(b"not a graph")
    with pytest.raises(BackendUnavailable, match="cannot load") as caught:
        OnnxDenoiser(tmp_path / "graph.onnx")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["cuda:x", "toaster", "", "coreml", "cpu "])
def test_a_provider_that_is_not_there_is_never_replaced(name):
    with pytest.raises(BackendUnavailable):
        resolve_provider(name)


def test_cuda_gives_the_same_bits_every_time(monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    _, options = resolve_provider("cuda:1")
    assert options == {"device_id": "1", "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}


def test_a_session_that_falls_back_is_an_error(monkeypatch, capsys, graphs):
    import onnxruntime

    present = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: present)
    session = onnxruntime.InferenceSession

    def fall_back(path, settings, providers):
        return session(path, settings, ["CPUExecutionProvider"])

    monkeypatch.setattr(
        onnxruntime,
        "preload_dlls",
        lambda: sys.stdout.write("Failed to load libcublas.so\n"),
        raising=False,
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", fall_back)
    with pytest.raises(BackendUnavailable, match=r"fell back from cuda:0 .* libcublas"):
        OnnxDenoiser(graphs("embedded", "fp32"), "cuda:0")
    assert not capsys.readouterr().out, "the standard output is for results"


WRITES = """
import numpy as np
from msdm_cli.backends.runtime import Runtime
from msdm_cli.models.load import load
model = load("embedded", Runtime("onnx", "cpu"))
model.choose(0)(np.zeros((1, 4, model.spec.length_multiple), np.float32), np.ones((1, 4)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="its temporary folders have other names")
def test_nothing_is_collected_about_its_user(tmp_path):
    names = {"HOME": "home", "TMPDIR": "tmp", "MSDM_CACHE": "cache"}
    for name in names.values():
        (tmp_path / name).mkdir()
    dropped = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    environment = {**kept, **{name: str(tmp_path / folder) for name, folder in names.items()}}
    # What is sent lies in a file first, beside the number of the device.
    command = [sys.executable, "-c", WRITES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
