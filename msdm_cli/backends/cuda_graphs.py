"""A network on CUDA, recorded as a graph.

A large GPU computes a small network in less time than the CPU needs to launch its kernels one by
one.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Forward = Callable[..., Tensor]
Inputs = tuple[Tensor | None, ...]
Shapes = tuple[torch.Size | None, ...]

RECORDING = threading.Lock()
"""Allows one recording at a time, because each first empties the memory pools of all devices."""


@dataclass(frozen=True)
class Recording:
    """Kernels that read ``inputs`` and write ``output`` each time they are replayed."""

    inputs: Inputs
    output: Tensor
    replay: Callable[[], None]


def record_graph(forward: Forward, inputs: Inputs) -> Recording:
    """Record a CUDA graph.

    Raises:
        RuntimeError: It cannot be recorded, or memory is full.
    """
    device = next(tensor.device for tensor in inputs if tensor is not None)
    with RECORDING, torch.cuda.device(device):
        kept = tuple(None if tensor is None else tensor.clone() for tensor in inputs)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        # A recording that fails does not leave the stream by itself.
        with torch.cuda.stream(stream):
            # In their first call, libraries allocate and plan, which cannot be recorded.
            forward(*kept)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                output = forward(*kept)
        torch.cuda.current_stream().wait_stream(stream)
        return Recording(kept, output, graph.replay)


class GraphedForward:
    """Calls a network, or replays a recording of it for inputs of the same shapes.

    Shapes are recorded when they come for the second time. Where a new recording would replace
    another, they must come twice in a row. A recording counts only if it gives exactly the output
    that the network gave for the same input. If a recording fails or memory is full, the network
    is called as it is from then on. Threads take turns.

    Args:
        forward: The network.
        record: Makes a recording.
    """

    MOST = 3
    """Recordings that are kept; each holds memory. Moved music has three lengths (``SLOWNESS``)."""

    def __init__(
        self, forward: Forward, record: Callable[[Forward, Inputs], Recording] = record_graph
    ) -> None:
        self._forward = forward
        self._record = record
        self._recordings: dict[Shapes, Recording] = {}
        self._seen: set[Shapes] = set()
        self._last: Shapes | None = None
        self._given_up = False
        self._lock = threading.Lock()

    def __call__(self, *inputs: Tensor | None) -> Tensor:
        """The network's output.

        Raises:
            RuntimeError: The network fails.
        """
        shapes = tuple(None if tensor is None else tensor.shape for tensor in inputs)
        with self._lock:
            last = self._last
            self._last = shapes
            if shapes in self._recordings:
                return _replay(self._recordings[shapes], inputs)
            output = self._call(inputs)
            room = shapes in self._seen and len(self._recordings) < self.MOST
            if (room or shapes == last) and not self._given_up:
                self._keep(shapes, inputs, output)
            self._seen.add(shapes)
            return output

    def _call(self, inputs: Inputs) -> Tensor:
        if self._recordings:
            try:
                return self._forward(*inputs)
            except RuntimeError as error:
                self._give_up(error)
        # Outside the handler, because the exception keeps what the failed call has allocated.
        return self._forward(*inputs)

    def _keep(self, shapes: Shapes, inputs: Inputs, output: Tensor) -> None:
        """Record inputs of these shapes; the oldest recording makes room if necessary."""
        if len(self._recordings) == self.MOST:
            del self._recordings[next(iter(self._recordings))]
        try:
            recording = self._record(self._forward, inputs)
            if not torch.equal(_replay(recording, inputs), output):
                raise RuntimeError("the graph does not give the output of the network")
        except RuntimeError as error:
            self._give_up(error)
            return
        self._recordings[shapes] = recording

    def _give_up(self, error: RuntimeError) -> None:
        log.info("CUDA graphs are no longer used: %s", str(error).partition("\n")[0])
        self._recordings.clear()
        self._given_up = True


def _replay(recording: Recording, inputs: Inputs) -> Tensor:
    for kept, given in zip(recording.inputs, inputs, strict=True):
        if kept is not None and given is not None:
            kept.copy_(given)
    recording.replay()
    return recording.output.clone()
