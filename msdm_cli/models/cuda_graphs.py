"""A network on CUDA, recorded as a graph: a large GPU computes a small network faster than its kernels are launched."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Forward = Callable[..., Tensor]
Inputs = tuple[Tensor | None, ...]


@dataclass(frozen=True)
class Recording:
    """Kernels that read ``inputs`` and write ``output``, each time they are replayed."""

    inputs: Inputs
    output: Tensor
    replay: Callable[[], None]


def record_graph(forward: Forward, inputs: Inputs) -> Recording:
    """Record a CUDA graph; other threads may use other devices meanwhile.

    Raises:
        RuntimeError: It cannot be recorded, or memory is full.
    """
    device = next(tensor.device for tensor in inputs if tensor is not None)
    with torch.cuda.device(device):
        kept = tuple(None if tensor is None else tensor.clone() for tensor in inputs)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries allocate and plan in a first call, which cannot be recorded
            forward(*kept)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            output = forward(*kept)
        return Recording(kept, output, graph.replay)


class GraphedForward:
    """Calls a network, or replays what was recorded of it for inputs of the same shapes.

    Shapes are recorded when they come for the second time. A recording is used only if it gives the very bits that the
    network gave for the same input. After a failure the network is called as it is, for good. Threads take turns.

    Args:
        forward: The network.
        record: Makes a recording.
    """

    MOST = 2
    """Recordings that are kept: the chunks of a song, and its last ones. Each holds on to its memory."""

    def __init__(self, forward: Forward, record: Callable[[Forward, Inputs], Recording] = record_graph) -> None:
        self._forward, self._record = forward, record
        self._recordings: dict[tuple[torch.Size | None, ...], Recording | None] = {}
        self._given_up = False
        self._lock = threading.Lock()

    def __call__(self, *inputs: Tensor | None) -> Tensor:
        """The network's output.

        Raises:
            RuntimeError: The network fails.
        """
        with self._lock:
            if not self._given_up:
                try:
                    return self._call(inputs)
                except RuntimeError as error:
                    if not self._recordings:
                        raise
                    log.info("CUDA graphs are not used any more: %s", str(error).partition("\n")[0])
                # Not inside the handler, which holds on to what the failed call has taken.
                self._recordings.clear()
                self._given_up = True
            return self._forward(*inputs)

    def _call(self, inputs: Inputs) -> Tensor:
        shapes = tuple(None if tensor is None else tensor.shape for tensor in inputs)
        recording = self._recordings.get(shapes)
        if recording is not None:
            return _replay(recording, inputs)
        output = self._forward(*inputs)
        if shapes in self._recordings:
            recording = self._record(self._forward, inputs)
            if not torch.equal(_replay(recording, inputs), output):
                raise RuntimeError("a graph does not give the network's output")
            self._recordings[shapes] = recording
        elif len(self._recordings) < self.MOST:
            self._recordings[shapes] = None
        return output


def _replay(recording: Recording, inputs: Inputs) -> Tensor:
    for kept, given in zip(recording.inputs, inputs, strict=True):
        if kept is not None and given is not None:
            kept.copy_(given)
    recording.replay()
    return recording.output.clone()
