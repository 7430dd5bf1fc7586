"""CUDA graphs, with a recorder that needs no GPU; and what of a network could not be recorded on one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from msdm_cli.models.cuda_graphs import GraphedForward, Recording
from msdm_cli.models.stft_unet import StftUnet, StftUnetConfig
from msdm_cli.models.torch_backend import TorchDenoiser
from msdm_cli.models.unet1d import PerStemUnet1d, Unet1d, Unet1dConfig
from tests.conftest import tiny_network

WAITING = {"tensor", "as_tensor", "new_tensor", "item", "tolist", "cpu", "nonzero", "equal", "allclose", "__bool__"}
"""What makes the host wait, or copies from its memory: a stream that is being recorded allows neither."""


class Recorder:
    """Records by keeping the call; counts what is recorded and replayed, and can fail or be wrong."""

    def __init__(self, fails: bool = False, off: float = 0.0) -> None:
        self.recorded, self.replayed, self.fails, self.off = 0, 0, fails, off

    def __call__(self, forward, inputs):
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.recorded += 1
        kept = tuple(None if tensor is None else tensor.clone() for tensor in inputs)
        output = torch.empty_like(forward(*kept))

        def replay():
            self.replayed += 1
            output.copy_(forward(*kept) + self.off)

        return Recording(kept, output, replay)


class Counted:
    """A forward pass that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x, mixture=None):
        self.calls += 1
        return 2 * x if mixture is None else x + mixture


def draw(*shape):
    return torch.randn(shape)


def test_the_second_call_records_and_later_ones_replay():
    recorder, forward = Recorder(), Counted()
    graphed = GraphedForward(forward, recorder)
    for count in range(4):
        x, mixture = draw(2, 3), draw(2, 3)
        torch.testing.assert_close(graphed(x, mixture), x + mixture, rtol=0, atol=0)
        assert recorder.recorded == (count > 0)
    assert recorder.replayed == 3


def test_shapes_and_what_is_not_given_are_told_apart():
    recorder = Recorder()
    graphed = GraphedForward(Counted(), recorder)
    for _ in range(3):
        for inputs in ((draw(2, 3), None), (draw(1, 3), draw(1, 3)), (draw(4, 3), None)):
            expected = Counted()(*inputs)
            torch.testing.assert_close(graphed(*inputs), expected, rtol=0, atol=0)
    assert recorder.recorded == GraphedForward.MOST


@pytest.mark.parametrize("recorder", [Recorder(fails=True), Recorder(off=1e-6)], ids=["fails", "other bits"])
def test_what_cannot_be_recorded_is_called(recorder):
    graphed = GraphedForward(Counted(), recorder)
    for _ in range(4):
        x = draw(2, 3)
        torch.testing.assert_close(graphed(x), 2 * x, rtol=0, atol=0)
    assert recorder.recorded <= 1
    assert recorder.replayed <= 1


def test_recordings_make_room_when_memory_is_full():
    class Full(Counted):
        def __call__(self, x, mixture=None):
            if len(x) > 2 and graphed._recordings:
                raise RuntimeError("CUDA out of memory")
            return super().__call__(x, mixture)

    graphed = GraphedForward(Full(), Recorder())
    for _ in range(2):
        graphed(draw(2, 3))
    x = draw(4, 3)
    torch.testing.assert_close(graphed(x), 2 * x, rtol=0, atol=0)


def test_a_first_batch_that_does_not_fit_is_no_reason_to_give_up():
    class Small(Counted):
        def __call__(self, x, mixture=None):
            if len(x) > 2:
                raise RuntimeError("CUDA out of memory")
            return super().__call__(x, mixture)

    recorder = Recorder()
    graphed = GraphedForward(Small(), recorder)
    with pytest.raises(RuntimeError, match="out of memory"):
        graphed(draw(4, 3))
    for _ in range(3):
        graphed(draw(2, 3))
    assert recorder.replayed == 2


def test_threads_do_not_mix_their_inputs():
    graphed = GraphedForward(Counted(), Recorder())
    inputs = [torch.full((64, 64), float(index)) for index in range(64)]
    with ThreadPoolExecutor(8) as pool:
        for x, output in zip(inputs, pool.map(graphed, inputs), strict=True):
            torch.testing.assert_close(output, 2 * x, rtol=0, atol=0)


def test_a_failing_network_fails():
    def forward(x):
        raise RuntimeError("CUDA out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        GraphedForward(forward, Recorder())(draw(1, 2))


class Watch(TorchFunctionMode):
    """The names of the functions of PyTorch that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.add(func.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("mixture", [True, False])
@pytest.mark.parametrize("name", ["embedded", "joint", "per stem"])
def test_a_network_never_waits_for_the_device(name, mixture):
    config = Unet1dConfig(
        channels=64, multipliers=(1, 2, 2), factors=(4, 2), num_blocks=(1, 1), attentions=(False, True)
    )
    network = {
        "embedded": lambda: StftUnet(StftUnetConfig(channels=(8, 16, 16), blocks=1, attention_layers=1)),
        "joint": lambda: Unet1d(config),
        "per stem": lambda: PerStemUnet1d(config),
    }[name]()
    network = network.to("meta").requires_grad_(False)  # takes the path of a GPU
    length = 4 * network.config.length_multiple
    inputs = torch.empty(2, 4, length), torch.empty(2, 4), torch.empty(2, length) if mixture else None
    with Watch() as watch, torch.no_grad():
        network(*(tensor if tensor is None else tensor.to("meta") for tensor in inputs))
    assert len(watch.names) > 10
    assert not watch.names.intersection(WAITING)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_replays_what_it_computes():
    device, rng = torch.device("cuda"), np.random.default_rng(0)
    denoiser = TorchDenoiser(tiny_network(), device)
    length = denoiser.network.config.length_multiple * 4
    for _ in range(3):
        x = rng.standard_normal((2, 4, length)).astype(np.float32)
        sigma, mixture = np.full((2, 4), 0.5, np.float32), x.sum(1)
        plain = denoiser.network(*(torch.from_numpy(array).to(device) for array in (x, sigma, mixture)))
        np.testing.assert_array_equal(denoiser(x, sigma, mixture), plain.cpu().numpy())
