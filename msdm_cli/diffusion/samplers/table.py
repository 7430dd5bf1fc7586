"""What a row of the table of samplers is. ``msdm_cli.diffusion.samplers`` has the rows."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import msgspec
import numpy as np

from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Denoiser, Samples

Noise = Callable[[int], Samples]
"""Unit noise ``[B, S, T]`` by number. Number 0 is the noise that a sampler starts from."""


@dataclass(frozen=True)
class Problem:
    """What a sampler solves for one chunk.

    Attributes:
        condition: What is known about the stems.
        shape: Shape of the stems, ``(B, S, T)``.
        noise: Unit noise ``[B, S, T]``, from the number of the draw and the index of the sample.
        sigma_max: Largest noise level that the network was trained on.
        length_multiple: The network takes lengths that are multiples of this, in samples.
    """

    condition: Condition
    shape: tuple[int, int, int]
    noise: Callable[[int, int], Samples]
    sigma_max: float
    length_multiple: int


class SamplerOptions(Protocol):
    """Options of a sampler: a frozen dataclass that checks its own values."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def calls(self) -> int:
        """Network calls that one chunk takes."""
        ...

    @property
    def uses_noise(self) -> bool:
        """Whether the result depends on the noise, and so on the seed."""
        ...


@dataclass(frozen=True)
class Sampler:
    """A row of the table.

    Attributes:
        name: Name in presets and on the command line.
        options: Class of its options.
        algorithm: Draws stems ``[B, S, T]``.
        with_mixture: Whether it works where the mixture is known.
        without_mixture: Whether it works where the mixture is not known.
        with_known: Whether it works where stems are known beside the mixture.
        of_sketches: Whether it draws sketches alone.
        with_steps: Makes a preset of N steps from options that have no field ``num_steps``; None if
            they have one, which is then replaced.
        exact: Whether its network should compute in single precision where nothing else is asked
            for, because its results are compared with published ones.
    """

    name: str
    options: type[SamplerOptions]
    algorithm: Callable[[Denoiser, Problem, Any], Samples]
    with_mixture: bool = True
    without_mixture: bool = True
    with_known: bool = True
    of_sketches: bool = False
    with_steps: Callable[[Any, int], "Preset"] | None = None
    exact: bool = False

    def draw(self, denoiser: Denoiser, problem: Problem, options: Any) -> Samples:
        """Draw the stems of one chunk, ``[B, S, T]``.

        Args:
            denoiser: The network.
            problem: What is known, and the noise.
            options: An instance of ``self.options``.

        Raises:
            ValueError: The sampler does not work under this condition.
        """
        has_mixture = problem.condition.mixture is not None
        if not (self.with_mixture if has_mixture else self.without_mixture):
            expected, got = ("a", "none") if not has_mixture else ("no", "one")
            raise ValueError(f"the sampler {self.name} expected {expected} mixture, got {got}")
        if has_mixture and problem.condition.known is not None and not self.with_known:
            raise ValueError(f"the sampler {self.name} expected no known stems, got some")
        return self.algorithm(denoiser, problem, options)


MOST_CALLS = 1_000_000
"""Network calls of a chunk: more would take days."""

SAMPLERS: dict[str, Sampler] = {}
"""The samplers by name; ``msdm_cli.diffusion.samplers`` fills it."""


@dataclass(frozen=True)
class Preset:
    """A sampler and its options.

    Attributes:
        sampler: Name of the sampler.
        options: Its options, an instance of ``SAMPLERS[sampler].options``.
    """

    sampler: str
    options: Any

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ValueError(f"expected a sampler of {', '.join(SAMPLERS)}, got {self.sampler}")
        expected = SAMPLERS[self.sampler].options
        if not isinstance(self.options, expected):
            raise TypeError(f"expected {expected.__name__}, got {type(self.options).__name__}")
        if self.calls > MOST_CALLS:
            raise ValueError(f"expected up to {MOST_CALLS} network calls, got {self.calls}")

    @property
    def calls(self) -> int:
        """Network calls that one chunk takes."""
        calls: int = self.options.calls
        return calls

    @property
    def uses_noise(self) -> bool:
        """Whether the result depends on the noise, and so on the seed."""
        uses_noise: bool = self.options.uses_noise
        return uses_noise

    @property
    def exact(self) -> bool:
        """Whether the network should compute in single precision, if nothing else is asked for."""
        return SAMPLERS[self.sampler].exact

    def with_options(self, options: Mapping[str, Any]) -> "Preset":
        """The same preset with some options replaced.

        Raises:
            ValueError: The sampler has no such option, or not with such a value.
        """
        return Preset.from_json({**self.to_json(), **options, "sampler": self.sampler})

    def with_steps(self, num_steps: int | None) -> "Preset":
        """The same preset with another number of steps; unchanged for None.

        Raises:
            ValueError: The sampler does not work with so few steps.
        """
        if num_steps is None:
            return self
        with_steps = SAMPLERS[self.sampler].with_steps
        if with_steps is not None:
            return with_steps(self.options, num_steps)
        return Preset(self.sampler, dataclasses.replace(self.options, num_steps=num_steps))

    def to_json(self) -> dict[str, Any]:
        """The name of the sampler and its options, side by side."""
        return {"sampler": self.sampler, **dataclasses.asdict(self.options)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Preset":
        """The preset that ``to_json`` describes. Options that are left out have their defaults.

        Raises:
            ValueError: It names no sampler, or options that the sampler does not have.
        """
        options = dict(fields)
        name = options.pop("sampler", None)
        if name not in SAMPLERS:
            raise ValueError(f"expected a sampler of {', '.join(SAMPLERS)}, got {name}")
        kind = SAMPLERS[name].options
        known = [field.name for field in dataclasses.fields(kind)]
        unknown = sorted(options.keys() - set(known))
        if unknown:
            raise ValueError(
                f"expected options of {', '.join(known)} for {name}, got {', '.join(unknown)}"
            )
        try:
            return cls(name, msgspec.convert(options, kind))
        except msgspec.ValidationError as error:
            raise ValueError(f"expected options of {name}, got {options} ({error})") from error


def average_samples(
    shape: tuple[int, int, int], count: int, draw: Callable[[int], Samples]
) -> Samples:
    """The mean of ``draw(0)`` to ``draw(count - 1)``, ``[B, S, T]``, in single precision."""
    total = np.zeros(shape, np.float32)
    for index in range(count):
        total += draw(index)
    return total / count
