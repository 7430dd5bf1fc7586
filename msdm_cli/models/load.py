"""From a name to a network that runs. PyTorch and ONNX Runtime are imported when one is chosen: both take seconds."""

from dataclasses import dataclass, replace

from msdm_cli.backends.runtime import AUTO, Runtime
from msdm_cli.diffusion.denoiser import Denoiser
from msdm_cli.errors import BackendUnavailable
from msdm_cli.models.registry import WeightsEntry, find_entry
from msdm_cli.models.spec import ModelSpec, load_spec
from msdm_cli.models.verify import check_file


@dataclass(frozen=True)
class Model:
    """A network and what it is.

    Attributes:
        spec: What it is.
        denoiser: The network.
        runtime: What runs it.
        weights_sha256: Which weights it has.
        others: The same network on further devices. Chunks that do not wait for each other take turns.
    """

    spec: ModelSpec
    denoiser: Denoiser
    runtime: Runtime
    weights_sha256: str = ""
    others: tuple[Denoiser, ...] = ()

    @property
    def devices(self) -> int:
        """How many networks there are."""
        return 1 + len(self.others)

    def choose(self, turn: int) -> Denoiser:
        """The network whose turn it is: not the one that is free, so that results do not depend on time."""
        return (self.denoiser, *self.others)[turn % self.devices]

    def keep(self, turn: int) -> "Model":
        """The model on one device: for music whose chunks wait for each other."""
        return replace(self, denoiser=self.choose(turn), others=())


def load_model(name: str, runtime: Runtime) -> Model:
    """Load a registered model.

    Args:
        name: Name in the registry.
        runtime: What is to run it. Of what is left open, the backend is torch, the device the best there is. Several
            devices are separated by commas.

    Raises:
        UnknownWeights: No model has that name.
        MissingWeights: Its files are not here.
        ChecksumMismatch: Its files are not the registered ones.
        IncompatibleCheckpoint: Weights and spec do not fit each other.
        BackendUnavailable: The backend or the device is not there, or cannot compute in that precision.
    """
    entry = find_entry(name)
    load = _load_onnx if runtime.backend == "onnx" else _load_torch
    first, *others = (
        load(entry, replace(runtime, device=device)) for device in runtime.device.split(",")
    )
    if precisions := sorted(
        {model.runtime.precision for model in others} - {first.runtime.precision}
    ):
        raise BackendUnavailable(
            f"{first.runtime.device} would compute in {first.runtime.precision}, another device in {precisions[0]}",
            "Say --precision fp32, or take devices that are alike.",
        )
    told = ",".join(model.runtime.device for model in (first, *others))
    return replace(
        first,
        runtime=replace(first.runtime, device=told),
        others=tuple(model.denoiser for model in others),
    )


def _load_onnx(entry: WeightsEntry, runtime: Runtime) -> Model:
    from msdm_cli.backends.onnx_backend import OnnxDenoiser

    spec = load_spec(check_file(entry, entry.spec))
    if entry.onnx is None:
        raise BackendUnavailable(
            f"the model {entry.name} was not exported",
            f"Say msdm weights export {entry.name}, or use --backend torch.",
        )
    check_file(entry, entry.weights)  # the graph reads its weights from there
    denoiser = OnnxDenoiser(check_file(entry, entry.onnx), runtime.device)
    if runtime.precision not in (AUTO, denoiser.precision):
        raise BackendUnavailable(
            f"the model {entry.name} was exported in {denoiser.precision}",
            "Leave out --precision, or use --backend torch.",
        )
    told = Runtime("onnx", denoiser.device, denoiser.precision)
    return Model(spec, denoiser, told, entry.weights.sha256)


def _load_torch(entry: WeightsEntry, runtime: Runtime) -> Model:
    from msdm_cli.backends.torch_backend import TorchDenoiser, resolve_device, resolve_precision
    from msdm_cli.networks.architectures import load_network

    device = resolve_device(runtime.device)
    precision = resolve_precision(runtime.precision, device)
    spec = load_spec(check_file(entry, entry.spec))
    network = load_network(entry, spec)
    told = Runtime("torch", str(device), precision)
    return Model(spec, TorchDenoiser(network, device, precision), told, entry.weights.sha256)
