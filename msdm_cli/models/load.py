"""From a name to a network that runs.

PyTorch and ONNX Runtime are imported only when they are chosen, because each takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msdm_cli.backends.runtime import AUTO, Runtime
from msdm_cli.diffusion.denoiser import Denoiser
from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import BackendUnavailable, MismatchedWeights
from msdm_cli.models.registry import WeightsEntry, find_entry
from msdm_cli.models.spec import IN_TWO, SKETCH, ModelSpec, Stage, load_spec
from msdm_cli.models.verify import check_file
from msdm_cli.representations import REPRESENTATIONS, Representation
from msdm_cli.representations.sketch_codes import SketchCodes, load_codes

if TYPE_CHECKING:
    from msdm_cli.networks.network import Network

LoadedModelType = TypeVar("LoadedModelType", bound="LoadedModel")


@dataclass(frozen=True)
class LoadedModel:
    """A network that runs, and its spec.

    Attributes:
        spec: What the model is.
        denoisers: The network, once for each device. Chunks that do not depend on each other use
            the devices in turn.
        runtime: What runs the network.
        weights_sha256: Digest of the weights, in hexadecimal.
        stage: Index of the network among the stages of the spec.
        openers: For each device, what gives the network of a stage there, by its index.
        codes: What a prior over sketches works in; None where there is none.
    """

    spec: ModelSpec
    denoisers: tuple[Denoiser, ...]
    runtime: Runtime
    weights_sha256: str = ""
    stage: int = 0
    openers: tuple[Callable[[int], Denoiser], ...] = field(default=(), repr=False)
    codes: SketchCodes | None = field(default=None, repr=False)

    @property
    def devices(self) -> int:
        """Number of devices."""
        return len(self.denoisers)

    @property
    def takes_mixture(self) -> bool:
        """Whether the mixture is an input of the network."""
        return self.denoisers[0].takes_mixture

    @property
    def representation(self) -> Representation:
        """What the network works in."""
        return REPRESENTATIONS[self.spec.stages[self.stage].representation]

    def choose(self, turn: int) -> Denoiser:
        """The network on the device whose turn it is.

        It is not the device that is free first, so that results do not depend on timing.
        """
        return self.denoisers[turn % self.devices]

    def keep(self: LoadedModelType, turn: int) -> LoadedModelType:
        """The same model on one device, for chunks that depend on the chunk before."""
        openers = self.openers[turn % self.devices :][:1]
        return replace(self, denoisers=(self.choose(turn),), openers=openers)

    def for_stage(self: LoadedModelType, stage: int) -> LoadedModelType:
        """The same model with the network of another stage, which is loaded when it is first used.

        Raises:
            BackendUnavailable: The backend does not run that network.
        """
        if stage == self.stage:
            return self
        return replace(self, stage=stage, denoisers=tuple(open(stage) for open in self.openers))


def load(name: str, runtime: Runtime) -> LoadedModel:
    """Load a registered model.

    Args:
        name: Name in the registry.
        runtime: What runs the network. Where it is left open, the backend is torch and the device
            is the fastest. Several devices are separated by commas.

    Raises:
        UnknownModel: No model has that name.
        MissingWeights: Its files are not on this machine.
        ChecksumMismatch: Its files are not the registered ones.
        UnreadableSpec: Its spec is of another version.
        MismatchedWeights: Weights and spec do not fit each other.
        BackendUnavailable: The backend or the device does not exist here, or cannot compute in that
            precision.
    """
    entry = find_entry(name)
    load_on = _load_onnx if runtime.backend == "onnx" else _load_torch
    models = [load_on(entry, replace(runtime, device=item)) for item in runtime.device.split(",")]
    first = models[0].runtime
    for model in models:
        if model.runtime.precision != first.precision:
            raise BackendUnavailable(
                f"{first.device} would compute in {first.precision}, "
                f"{model.runtime.device} in {model.runtime.precision}",
                "Choose the precision fp32, or devices that are alike.",
            )
    devices = ",".join(model.runtime.device for model in models)
    threads = max(model.runtime.threads for model in models)
    return replace(
        models[0],
        denoisers=tuple(model.denoisers[0] for model in models),
        openers=tuple(opener for model in models for opener in model.openers),
        runtime=replace(first, device=devices, threads=threads),
        codes=_load_codes(entry, models[0].spec),
    )


def keep_exact(runtime: Runtime, preset: Preset) -> Runtime:
    """The runtime for a preset: single precision for an exact sampler, if nothing else is asked.

    A graph for ONNX Runtime has the precision that it was exported in.
    """
    if preset.exact and runtime.precision == AUTO and runtime.backend != "onnx":
        return replace(runtime, precision="fp32")
    return runtime


def _load_onnx(entry: WeightsEntry, runtime: Runtime) -> LoadedModel:
    from msdm_cli.backends.onnx_backend import OnnxDenoiser

    spec = load_spec(check_file(entry, entry.spec))

    @cache
    def open_stage(stage: int) -> OnnxDenoiser:
        name = spec.stages[stage].name
        graph = entry.find_graph(name)
        if graph is None:
            whole = f"the model {entry.name}"
            raise BackendUnavailable(
                f"{f'the stage {name} of {whole}' if name else whole} was not exported to ONNX",
                "Export it first, or use the backend torch.",
            )
        check_file(entry, entry.find_weights(name))  # the graph reads its weights from that file
        return OnnxDenoiser(check_file(entry, graph), runtime.device, runtime.threads)

    denoiser = open_stage(0)
    if runtime.precision not in (AUTO, denoiser.precision):
        raise BackendUnavailable(
            f"the model {entry.name} was exported in {denoiser.precision}, not {runtime.precision}",
            f"Choose the precision {denoiser.precision}, or use the backend torch.",
        )
    resolved = Runtime("onnx", denoiser.device, denoiser.precision, runtime.threads)
    return LoadedModel(spec, (denoiser,), resolved, entry.weights_sha256, openers=(open_stage,))


def _load_torch(entry: WeightsEntry, runtime: Runtime) -> LoadedModel:
    from msdm_cli.backends.torch_backend import (
        TorchDenoiser,
        resolve_device,
        resolve_precision,
        set_threads,
    )

    device = resolve_device(runtime.device)
    threads = set_threads(runtime.threads)
    precision = resolve_precision(runtime.precision, device)
    spec = load_spec(check_file(entry, entry.spec))

    @cache
    def open_stage(stage: int) -> Denoiser:
        return TorchDenoiser(load_network(entry, spec, stage), device, precision)

    resolved = Runtime("torch", str(device), precision, threads if device.type == "cpu" else 0)
    return LoadedModel(
        spec, (open_stage(0),), resolved, entry.weights_sha256, openers=(open_stage,)
    )


def _load_codes(entry: WeightsEntry, spec: ModelSpec) -> SketchCodes | None:
    """The codes of the stage that draws sketches; None if there is none."""
    names = [stage.name for stage in spec.stages if stage.representation == SKETCH]
    return load_codes(check_file(entry, entry.find_weights(names[0]))) if names else None


def load_network(entry: WeightsEntry, spec: ModelSpec, stage: int = 0) -> Network:
    """The network of a stage in PyTorch, with its weights in single precision.

    Raises:
        MissingWeights: They are not on this machine.
        ChecksumMismatch: They are not the registered ones.
        MismatchedWeights: They do not fit the spec.
    """
    path = check_file(entry, entry.find_weights(spec.stages[stage].name))
    try:
        return _build(spec, spec.stages[stage], path)
    except (RuntimeError, TypeError, ValueError) as error:
        raise MismatchedWeights(
            f"{path}: does not fit its spec ({' '.join(str(error).split())})",
            "Install msdm again, or remove this model and fetch it again.",
        ) from error


def _build(spec: ModelSpec, stage: Stage, weights: Path) -> Network:
    """The network of a stage.

    Raises:
        RuntimeError, TypeError, ValueError: The weights do not fit the spec.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from msdm_cli.models.bounded_build import build_bounded

    try:
        tensors = load_file(weights)
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    network = build_bounded(stage.architecture, stage.config, tensors)
    if network.config.stems != len(spec.stems):
        raise ValueError(f"a network of {network.config.stems} stems, {len(spec.stems)} names")
    if stage.representation not in IN_TWO and spec.length_multiple % network.config.length_multiple:
        raise ValueError(
            f"lengths are multiples of {spec.length_multiple}, "
            f"the network takes multiples of {network.config.length_multiple}"
        )
    # Tensors that are float32 already stay where they are: mapped from the file, without a copy.
    network.load_state_dict({key: value.float() for key, value in tensors.items()}, assign=True)
    return network
