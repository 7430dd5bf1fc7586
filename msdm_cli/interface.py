"""The Python interface: a model that separates, imputes and generates.

    >>> from msdm_cli import load_model
    >>> model = load_model(device="cpu")

A song is a path, or samples ``[C, T]`` or ``[T]`` and their rate. Its stems sum to it.

    >>> import numpy as np
    >>> song = 0.1 * np.random.default_rng(0).standard_normal((2, 22050))
    >>> stems = model.separate(song, 44100)
    >>> list(stems)
    ['bass', 'drums', 'guitar', 'piano']
    >>> bool(np.allclose(sum(stems.values()), song, atol=1e-6))
    True

Stems that go with given ones, and new music:

    >>> model.impute({"drums": song}, 44100, targets=["piano"], quality="fast")["piano"].shape
    (2, 22050)
    >>> list(model.generate(0.5, quality="fast", seed=1))
    ['bass', 'drums', 'guitar', 'piano', 'mixture']

Each method has a twin that yields blocks, for sound that does not fit into memory.

    >>> for block in model.separate_blocks(song, 44100):
    ...     loudest = np.abs(block.stems["drums"]).max()
"""

import dataclasses

from msdm_cli.backends.runtime import AUTO, Runtime
from msdm_cli.model import Model
from msdm_cli.models.load import load
from msdm_cli.models.registry import EMBEDDED

__all__ = ["Model", "load_model"]


def load_model(
    name: str = EMBEDDED,
    *,
    device: str = AUTO,
    backend: str = AUTO,
    precision: str = AUTO,
    threads: int = 0,
) -> Model:
    """Load a model.

    Args:
        name: Name of a model on this machine; the embedded one by default.
        device: auto, cpu, cuda, cuda:1 or mps; several are separated by commas and share the
            chunks.
        backend: auto, torch or onnx.
        precision: Of the learned part: auto, fp32, bf16 or fp16. Choose fp32 for the samplers of
            the paper, to get what the authors' code gives.
        threads: Threads of a CPU, which decide the last bits; 0 leaves them to the backend. Those
            of PyTorch are set in the whole process.

    On CUDA, cuDNN is set to give the same bits every time and not to round to TF32, in the whole
    process: other networks in it may be slower. A model cannot be pickled; load one in each
    process.

    Raises:
        WeightsError: The model is unknown, is not on this machine, or its files are damaged.
        ModelError: Weights and spec do not fit, or the backend or the device cannot run here.
        ValueError, TypeError: There is no such backend, device, precision or number of threads.
    """
    loaded = load(name, Runtime(backend, device, precision, threads))
    fields = {field.name: getattr(loaded, field.name) for field in dataclasses.fields(loaded)}
    return Model(**fields)
