"""What a model is, apart from its weights: a JSON file beside them."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from msdm_cli.audio.mix import is_mix
from msdm_cli.audio.source import RATES_HZ
from msdm_cli.audio.stem_finish import MIXTURE, RESIDUAL
from msdm_cli.diffusion.samplers import SAMPLERS, Preset
from msdm_cli.errors import MissingPreset, MissingTask, UnreadableSpec
from msdm_cli.representations import REPRESENTATIONS
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES
from msdm_cli.small_files import read_small

QUALITIES = ("fast", "default", "best")
"""The presets that every task of a model should have."""

PAPER_STEMS = ("bass", "drums", "guitar", "piano")
"""The stems of the paper and of the embedded model, in the order of their networks."""

STEM = re.compile(r"\w[\w -]{0,39}")
"""A name of a stem is a part of the names of files."""
MOST_STEMS = 64
RESERVED = (MIXTURE, RESIDUAL)
"""Names of other results."""
LEVELS_DB = (-120, 0)
LONGEST_CHUNK = 1 << 24
"""12 minutes at 22 050 Hz; a chunk goes through the network at once."""

UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    msgspec.MsgspecError,
)
"""Errors of a file that is no spec."""

SKETCH = "sketch"
"""The representation of a stage that draws sketches, for the stage after it."""

ENVELOPE = "envelope"
"""That of the stage after it, whose network guesses the envelope of a sketch."""

IN_TWO = [SKETCH, ENVELOPE]
"""What the two stages work in that do a task together. A task without a sketch has one stage."""


@dataclass(frozen=True)
class Stage:
    """A network and how it is used.

    Attributes:
        architecture: Name in ``msdm_cli.networks.architectures.ARCHITECTURES``.
        config: Size of the network, the fields of the architecture's config.
        representation: What the network works in, a name in ``REPRESENTATIONS``.
        presets: Sampler settings by task (separate, impute, generate), and by quality or sampler.
        name: Name of its weights among those of the model; empty for the first stage.
        guidance: How much a prior over sketches counts its controls
            (``msdm_cli.diffusion.told``).
        told_error: Size of the errors that a network is told its sketch has, in bels.
    """

    architecture: str
    config: Mapping[str, Any]
    representation: str
    presets: Mapping[str, Mapping[str, Preset]]
    name: str = ""
    guidance: float = 1.0
    told_error: float = 0.0

    def __post_init__(self) -> None:
        if self.representation not in REPRESENTATIONS:
            known = ", ".join(REPRESENTATIONS)
            raise ValueError(f"expected a representation of {known}, got {self.representation}")
        used = [preset.sampler for named in self.presets.values() for preset in named.values()]
        if self.representation != SKETCH and any(SAMPLERS[name].of_sketches for name in used):
            raise ValueError(f"expected samplers of a {self.representation}, got {', '.join(used)}")


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
        stages: The networks. A task is done by those that have presets for it: by one that works
            in waveforms, or by one that draws a sketch and one that guesses its envelope.
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
        names = [stage.name for stage in self.stages]
        if names[:1] != [""] or len(set(names)) != len(names):
            raise ValueError(f"expected a first stage without a name, then others, got {names}")
        for task in {task for stage in self.stages for task in stage.presets}:
            works_in = [self.stages[index].representation for index in self.list_stages(task)]
            if works_in != IN_TWO and (len(works_in) > 1 or works_in[0] in IN_TWO):
                raise ValueError(f"expected one stage, or a sketch and an envelope, got {works_in}")
        if SKETCH in (stage.representation for stage in self.stages):
            self._check_tokens()
        if not self.stems or len(set(self.stems)) != len(self.stems):
            raise ValueError(f"expected stems of different names, got {', '.join(self.stems)}")
        if self.length_multiple < 1 or self.chunk_length % self.length_multiple:
            raise ValueError(
                f"expected a chunk length that is a multiple of {self.length_multiple}, "
                f"got {self.chunk_length}"
            )
        self._check_sizes()
        if not 0 <= 2 * self.context < self.chunk_length:
            raise ValueError(
                f"expected a context below half of {self.chunk_length}, got {self.context}"
            )

    def _check_sizes(self) -> None:
        """Refuse numbers and names that no model has."""
        if len(self.stems) > MOST_STEMS or not all(map(STEM.fullmatch, self.stems)):
            raise ValueError(f"expected up to {MOST_STEMS} names of stems, in letters and digits")
        if taken := [name for name in self.stems if name in RESERVED or is_mix(name)]:
            raise ValueError(f"expected names of stems that no other result has, got {taken[0]}")
        low, high = RATES_HZ
        if not (low <= self.sample_rate <= high and self.chunk_length <= LONGEST_CHUNK):
            raise ValueError(
                f"expected {low} to {high} Hz and chunks of up to {LONGEST_CHUNK} samples, "
                f"got {self.sample_rate} and {self.chunk_length}"
            )
        if not 0 < self.sigma_max < math.inf:
            raise ValueError(f"expected a sigma_max above 0, got {self.sigma_max}")
        low, high = LEVELS_DB
        if self.level_db is not None and not low <= self.level_db <= high:
            raise ValueError(f"expected a level of {low} to {high} dB, got {self.level_db}")

    def _check_tokens(self) -> None:
        """Sketches have tokens, in which chunks must begin and end."""
        for name in ("chunk_length", "context", "length_multiple"):
            if getattr(self, name) % TOKEN_SAMPLES:
                raise ValueError(
                    f"expected a {name} in multiples of {TOKEN_SAMPLES}, got {getattr(self, name)}"
                )

    @property
    def stage(self) -> Stage:
        """The first stage."""
        return self.stages[0]

    def list_stages(self, task: str) -> tuple[int, ...]:
        """The indices of the stages that do a task, in order."""
        return tuple(i for i, stage in enumerate(self.stages) if task in stage.presets)

    def list_presets(self, task: str) -> Mapping[str, Preset]:
        """The settings of a task by name; of the last stage that does it."""
        stages = self.list_stages(task)
        return self.stages[stages[-1]].presets[task] if stages else {}

    def sketch_preset(self, task: str, name: str) -> Preset | None:
        """The settings of the stage that draws a sketch; None if the task has none.

        Raises:
            MissingPreset: That stage has no such settings.
        """
        stages = self.list_stages(task)
        if len(stages) < 2:
            return None
        return self._find_preset(self.stages[stages[0]].presets[task], task, name)

    def preset(self, task: str, name: str) -> Preset:
        """The settings of a task's last stage, by the name of a quality or a sampler.

        Raises:
            MissingPreset: The model has no such settings.
        """
        return self._find_preset(self.list_presets(task), task, name)

    def _find_preset(self, presets: Mapping[str, Preset], task: str, name: str) -> Preset:
        if name not in presets:
            message = f"the model {self.name} has no settings {name} to {task}"
            if not presets:
                raise MissingTask(message, "Choose another task or model.")
            raise MissingPreset(message, f"It has {', '.join(presets)}.")
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
    except UNREADABLE as error:
        raise UnreadableSpec(
            f"{path}: not a model spec of this version ({' '.join(str(error).split())[:300]})",
            "Install msdm again, or fetch the model again.",
        ) from error


def _map_presets(
    presets: Mapping[str, Mapping[str, Any]], change: Callable[[Any], Any]
) -> dict[str, dict[str, Any]]:
    """The same presets, each changed."""
    return {
        task: {name: change(preset) for name, preset in named.items()}
        for task, named in presets.items()
    }
