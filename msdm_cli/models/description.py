"""What is known of a model before it is loaded."""

from dataclasses import dataclass

from msdm_cli.backends.runtime import Runtime
from msdm_cli.models.registry import find_entry
from msdm_cli.models.spec import ModelSpec, load_spec
from msdm_cli.models.verify import check_file


@dataclass(frozen=True)
class ModelDescription:
    """A model on this machine.

    Attributes:
        spec: What the model is.
        runtime: What shall run the network.
        weights_sha256: Digest that the registry has of the weights, in hexadecimal.
    """

    spec: ModelSpec
    runtime: Runtime
    weights_sha256: str


def describe_model(name: str, runtime: Runtime) -> ModelDescription:
    """Describe a registered model. Only its spec is read.

    Raises:
        UnknownModel: No model has that name.
        MissingWeights: Its spec is not on this machine.
        ChecksumMismatch: Its spec is not the registered one.
        UnreadableSpec: Its spec is of another version.
    """
    entry = find_entry(name)
    spec = load_spec(check_file(entry, entry.spec))
    return ModelDescription(spec, runtime, entry.weights_sha256)
