"""CUDA graphs, with a recorder that needs no GPU, and what a recording does not allow."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from conftest import tiny_network
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from msdm_cli.backends.batches import run_in_parts
from msdm_cli.backends.cuda_graphs import GraphedForward, Recording
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.errors import DeviceFull
from msdm_cli.networks.unet1d import PerStemUnet1d, Unet1d, Unet1dConfig

WAITING = {
    "tensor",
    "as_tensor",
    "new_tensor",
    "item",
    "tolist",
    "cpu",
    "nonzero",
    "equal",
    "allclose",
    "__bool__",
}
"""Functions that make the CPU wait or copy from its memory, which a recording does not allow."""
WAITING_OPERATORS = {
    "aten.index.Tensor",
    "aten.index_put_.default",
    "aten._local_scalar_dense.default",
}
"""Operators that do the same; those that index may read indices from the CPU."""


class Recorder:
    """Records by keeping the call. It counts recordings and replays, and can fail or be wrong."""

    def __init__(self, fails: bool = False, off: float = 0.0) -> None:
        self.recorded = 0
        self.replayed = 0
        self.fails = fails
        self.off = off

    def __call__(self, forward, inputs):
        self.recorded += 1
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        kept = tuple(None if tensor is None else tensor.clone() for tensor in inputs)
        output = torch.empty_like(forward(*kept))

        def replay():
            self.replayed += 1
            output.copy_(forward(*kept) + self.off)

        return Recording(kept, output, replay)


class Forward:
    """A forward pass."""

    def __call__(self, x, mixture=None):
        return 2 * x if mixture is None else x + mixture


def build(name):
    """A small network of an architecture."""
    config = Unet1dConfig(
        channels=64,
        multipliers=(1, 2, 2),
        factors=(4, 2),
        num_blocks=(1, 1),
        attentions=(False, True),
    )
    return {
        "embedded": tiny_network,
        "joint": lambda: Unet1d(config),
        "per stem": lambda: PerStemUnet1d(config),
    }[name]()


def draw(*shape):
    return torch.randn(shape)


def test_the_second_call_records_and_later_ones_replay():
    recorder = Recorder()
    graphed = GraphedForward(Forward(), recorder)
    for count in range(4):
        x = draw(2, 3)
        mixture = draw(2, 3)
        torch.testing.assert_close(graphed(x, mixture), x + mixture, rtol=0, atol=0)
        assert recorder.recorded == (count > 0)
    assert recorder.replayed == 3


def test_each_set_of_shapes_has_its_own_recording():
    recorder = Recorder()
    graphed = GraphedForward(Forward(), recorder)
    kinds = [(draw(2, 3), None), (draw(2, 3), draw(2, 3)), (draw(4, 3), None), (draw(5, 3), None)]
    for count, inputs in enumerate(kinds, start=1):
        for _ in range(3):
            torch.testing.assert_close(graphed(*inputs), Forward()(*inputs), rtol=0, atol=0)
        assert recorder.recorded == count
    for inputs in kinds[1:]:
        graphed(*inputs)
    assert recorder.recorded == len(kinds)  # all are kept
    graphed(*kinds[0])
    graphed(*kinds[0])
    assert recorder.recorded == len(kinds) + 1  # the oldest made room


@pytest.mark.parametrize("more", [0, 1, 2])
def test_shapes_that_take_turns_are_recorded_as_long_as_there_is_room(more):
    recorder = Recorder()
    graphed = GraphedForward(Forward(), recorder)
    for _ in range(4):
        for length in range(1, GraphedForward.MOST + more + 1):
            x = draw(2, length)
            torch.testing.assert_close(graphed(x), 2 * x, rtol=0, atol=0)
    assert recorder.recorded == GraphedForward.MOST
    assert recorder.replayed == 3 * GraphedForward.MOST


def test_shapes_that_come_once_are_not_recorded():
    recorder = Recorder()
    graphed = GraphedForward(Forward(), recorder)
    for length in range(1, 9):
        graphed(draw(2, length))
    assert recorder.recorded == 0


@pytest.mark.parametrize(
    "recorder", [Recorder(fails=True), Recorder(off=1e-6)], ids=["fails", "other values"]
)
def test_a_network_that_cannot_be_recorded_is_called(recorder):
    graphed = GraphedForward(Forward(), recorder)
    for _ in range(4):
        x = draw(2, 3)
        torch.testing.assert_close(graphed(x), 2 * x, rtol=0, atol=0)
    assert recorder.recorded == 1


def test_recordings_make_room_when_memory_is_full():
    class Full(Forward):
        def __call__(self, x, mixture=None):
            if len(x) > 2 and graphed._recordings:
                raise RuntimeError("CUDA out of memory")
            return super().__call__(x, mixture)

    recorder = Recorder()
    graphed = GraphedForward(Full(), recorder)
    for _ in range(2):
        graphed(draw(2, 3))
    for _ in range(3):
        x = draw(4, 3)
        torch.testing.assert_close(graphed(x), 2 * x, rtol=0, atol=0)
    assert recorder.recorded == 1


def test_a_batch_that_does_not_fit_is_halved_each_time():
    def forward(x, sigma, mixture):
        if len(x) > 2:
            raise RuntimeError("CUDA out of memory")
        return 2 * x

    recorder = Recorder()
    graphed = GraphedForward(forward, recorder)

    def run(*arrays):
        try:
            return graphed(
                *(array if array is None else torch.from_numpy(array) for array in arrays)
            ).numpy()
        except RuntimeError as error:
            raise DeviceFull("full", "") from error

    for _ in range(3):
        x = np.random.default_rng(0).standard_normal((4, 2, 8))
        sigma = np.ones((4, 2))
        np.testing.assert_array_equal(run_in_parts(run, x, sigma, None, singly=False), 2 * x)
    assert recorder.recorded == 1  # then given up, because memory is full with it


def test_threads_do_not_mix_their_inputs():
    graphed = GraphedForward(Forward(), Recorder())
    inputs = [torch.full((64, 64), float(index)) for index in range(64)]
    with ThreadPoolExecutor(8) as pool:
        for x, output in zip(inputs, pool.map(graphed, inputs), strict=True):
            torch.testing.assert_close(output, 2 * x, rtol=0, atol=0)


def test_a_failing_network_fails():
    def forward(x):
        raise RuntimeError("CUDA out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        GraphedForward(forward, Recorder())(draw(1, 2))


class Functions(TorchFunctionMode):
    """Collects the names of PyTorch's functions that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.add(func.__name__)
        return func(*args, **(kwargs or {}))


class Operators(TorchDispatchMode):
    """Collects the names of the operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("mixture", [True, False])
@pytest.mark.parametrize("name", ["embedded", "joint", "per stem"])
def test_a_network_never_waits_for_the_device(name, mixture):
    network = build(name).to("meta").requires_grad_(False)  # which takes the code path of a GPU
    length = 4 * network.config.length_multiple
    inputs = (
        torch.empty(2, 4, length),
        torch.empty(2, 4),
        torch.empty(2, length) if mixture else None,
    )
    inputs = [tensor if tensor is None else tensor.to("meta") for tensor in inputs]
    with Functions() as functions, Operators() as operators, torch.no_grad():
        network(*inputs)
    assert len(functions.names) > 10
    assert not functions.names.intersection(WAITING)
    assert len(operators.names) > 10
    assert not operators.names.intersection(WAITING_OPERATORS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["embedded", "joint", "per stem"])
def test_a_gpu_replays_what_it_computes(name):
    device = torch.device("cuda")
    rng = np.random.default_rng(0)
    network = build(name)
    denoiser = TorchDenoiser(network, device)
    length = 4 * network.config.length_multiple
    for _ in range(3):
        x = rng.standard_normal((2, 4, length)).astype(np.float32)
        sigma = np.full((2, 4), 0.5, np.float32)
        mixture = x.sum(1)
        with torch.inference_mode():
            plain = network(*(torch.from_numpy(array).to(device) for array in (x, sigma, mixture)))
        np.testing.assert_array_equal(denoiser(x, sigma, mixture), plain.cpu().numpy())
    assert denoiser._forward._recordings
