"""What a model is, apart from its weights: a JSON file beside them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.errors import MissingPreset, UnreadableSpec
from msdm_cli.representations import REPRESENTATIONS
from msdm_cli.small_files import read_small

QUALITIES = ("fast", "default", "best")
"""The presets that every task of a model should have."""

PAPER_STEMS = ("bass", "drums", "guitar", "piano")
"""The stems of the paper and of the embedded model, in the order of their networks."""


@dataclass(frozen=True)
class Stage:
    """A network and how it is used.

    Attributes:
        architecture: Name in ``msdm_cli.networks.architectures.ARCHITECTURES``.
        config: Size of the network, the fields of the architecture's config.
        representation: What the network works in, a name in ``REPRESENTATIONS``.
        presets: Sampler settings by task (separate, impute, generate), and by quality or sampler.
    """

    architecture: str
    config: Mapping[str, Any]
    representation: str
    presets: Mapping[str, Mapping[str, Preset]]

    def __post_init__(self) -> None:
        if self.representation not in REPRESENTATIONS:
            known = ", ".join(REPRESENTATIONS)
            raise ValueError(f"expected a representation of {known}, got {self.representation}")


@dataclass(frozen=True)
class ModelSpec:
    """What a model is, apart from its weights.

    Attributes:
        name: Name in the registry.
        stems: Names of the stems, in the order of the network.
        sample_rate: Rate that the network works at, in hertz.
        chunk_length: Length of a chunk with its context, in samples.
        context: Samples at either end of a chunk that are computed but not used.
        length_multiple: The network takes lengths that are multiples of this, in samples.
        sigma_max: Largest noise level that the network was trained on.
        stages: The networks; exactly one for now.
        level_db: Level of the songs that it was trained on, as root mean square relative to full
            scale; a song is brought near to it before it is separated. None to leave songs as they
            are.
    """

    name: str
    stems: tuple[str, ...]
    sample_rate: int
    chunk_length: int
    context: int
    length_multiple: int
    sigma_max: float
    stages: tuple[Stage, ...]
    level_db: float | None = None

    def __post_init__(self) -> None:
        if len(self.stages) != 1:
            raise ValueError(f"expected exactly 1 stage, got {len(self.stages)}")
        if not self.stems or len(set(self.stems)) != len(self.stems):
            raise ValueError(f"expected stems of different names, got {', '.join(self.stems)}")
        if self.length_multiple < 1 or self.chunk_length % self.length_multiple:
            raise ValueError(
                f"expected a chunk length that is a multiple of {self.length_multiple}, "
                f"got {self.chunk_length}"
            )
        if not 0 <= 2 * self.context < self.chunk_length:
            raise ValueError(
                f"expected a context below half of {self.chunk_length}, got {self.context}"
            )

    @property
    def stage(self) -> Stage:
        """The only stage."""
        return self.stages[0]

    def preset(self, task: str, name: str) -> Preset:
        """The settings of a task, by the name of a quality or a sampler.

        Raises:
            MissingPreset: The model has no such settings.
        """
        presets = self.stage.presets.get(task, {})
        if name not in presets:
            raise MissingPreset(
                f"the model {self.name} has no settings {name} to {task}",
                f"It has {', '.join(presets)}." if presets else "Choose another task or model.",
            )
        return presets[name]

    def save(self, path: Path) -> None:
        """Write the spec as JSON."""
        fields = msgspec.to_builtins(self)
        for stage, described in zip(self.stages, fields["stages"], strict=True):
            described["presets"] = _map_presets(stage.presets, Preset.to_json)
        path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def load_spec(path: Path) -> ModelSpec:
    """Read a spec from a JSON file.

    Raises:
        UnreadableSpec: It is damaged, or of another version.
    """
    try:
        fields = msgspec.json.decode(read_small(path))
        for stage in fields["stages"]:
            stage["presets"] = _map_presets(stage["presets"], Preset.from_json)
        return msgspec.convert(fields, ModelSpec)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, msgspec.MsgspecError) as e:
        raise UnreadableSpec(
            f"{path}: not a model spec of this version ({e})",
            "Install msdm again, or fetch the model again.",
        ) from e


def _map_presets(
    presets: Mapping[str, Mapping[str, Any]], change: Callable[[Any], Any]
) -> dict[str, dict[str, Any]]:
    """The same presets, each changed."""
    return {
        task: {name: change(preset) for name, preset in named.items()}
        for task, named in presets.items()
    }
