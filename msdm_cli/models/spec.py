"""What a model is, apart from its weights: a frozen description that travels beside them as JSON."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msdm_cli.diffusion.samplers.consistent import SOLVERS
from msdm_cli.errors import IncompatibleCheckpoint

QUALITIES = ("fast", "default", "best")
SAMPLERS = ("consistent", "dirac", "gaussian", "published")


@dataclass(frozen=True)
class Preset:
    """Sampler settings of one task at one quality.

    Attributes:
        num_steps: Steps from one noise level to the next; 0 for the regression estimate alone.
        sigma_max: Noise level to start from.
        sigma_min: Last noise level before zero.
        rho: Curvature of the schedule (arXiv 2206.00364, eq. 5).
        eta: 0 is the probability-flow ODE, 1 is full re-noise.
        solver: Of ``msdm_cli.diffusion.samplers.consistent``.
        warm_start: Start from the regression estimate instead of from nothing.
        samples: Number of samples that are averaged; with no steps, of regression estimates of the music as it is and
            moved (``msdm_cli.diffusion.moved``).
        sampler: ``consistent`` is ours (conditions act on the denoised estimate); the others are the paper's:
            ``dirac`` and ``gaussian`` separate, ``published`` imputes and generates.
        churn: EDM's ``S_churn``, for the paper's samplers.
        num_resamples: How often the paper's samplers do each step; 2 is their correction.
        mixture_scale: Noise of the mixture in units of sigma, for ``gaussian``.
    """

    num_steps: int
    sigma_max: float
    sigma_min: float = 1e-3
    rho: float = 7.0
    eta: float = 1.0
    solver: str = "euler"
    warm_start: bool = False
    samples: int = 1
    sampler: str = "consistent"
    churn: float = 0.0
    num_resamples: int = 1
    mixture_scale: float = 0.75

    def __post_init__(self) -> None:
        if self.num_steps < 0 or self.samples < 1 or self.num_resamples < 1:
            raise ValueError(
                f"expected num_steps >= 0, samples >= 1 and num_resamples >= 1, got {self}"
            )
        if self.sampler not in SAMPLERS:
            raise ValueError(f"expected a sampler of {', '.join(SAMPLERS)}, got {self.sampler}")
        if self.solver not in SOLVERS or (self.solver == "heun" and self.eta > 0):
            raise ValueError(
                f"expected a solver of {', '.join(SOLVERS)}, eta 0 for heun, got {self}"
            )
        if self.num_steps == 0 and not self.warm_start:
            raise ValueError("expected num_steps >= 1 without a warm start, got 0")
        if not 0 < self.sigma_min <= self.sigma_max:
            raise ValueError(
                f"expected 0 < sigma_min <= sigma_max, got {self.sigma_min} and {self.sigma_max}"
            )

    def with_steps(self, num_steps: int | None) -> "Preset":
        """The same preset with another number of steps; unchanged for None. Steps are of one sample where none were."""
        if num_steps is None:
            return self
        return dataclasses.replace(
            self, num_steps=num_steps, samples=self.samples if self.num_steps else 1
        )


@dataclass(frozen=True)
class ModelSpec:
    """A model's architecture, geometry and defaults.

    Attributes:
        name: Name in the registry.
        architecture: Which network of ``msdm_cli.models`` it is.
        config: Size of that network.
        stems: Names of the stems, in the network's order.
        sample_rate: Rate that the network works at, in hertz.
        chunk_length: Length that it is run at, context included, in samples.
        context: Samples at either end of a chunk that are computed and thrown away.
        length_multiple: What the length of its input must be a multiple of, in samples.
        sigma_max: Largest noise level it was trained on; as good as infinity.
        presets: Sampler settings per task (separate, impute, generate) and quality or sampler.
    """

    name: str
    architecture: str
    config: Mapping[str, Any]
    stems: tuple[str, ...]
    sample_rate: int
    chunk_length: int
    context: int
    length_multiple: int
    sigma_max: float
    presets: Mapping[str, Mapping[str, Preset]]

    def __post_init__(self) -> None:
        if self.chunk_length % self.length_multiple:
            raise ValueError(
                f"expected a chunk length in multiples of {self.length_multiple}, got {self.chunk_length}"
            )
        if not 0 <= 2 * self.context < self.chunk_length:
            raise ValueError(
                f"expected a context below half of {self.chunk_length}, got {self.context}"
            )

    def preset(self, task: str, quality: str) -> Preset:
        """Settings of a task at a quality, or by the name of a sampler.

        Raises:
            IncompatibleCheckpoint: The model has none of that name.
        """
        if quality not in self.presets[task]:
            raise IncompatibleCheckpoint(
                f"the model {self.name} has no settings {quality} to {task}",
                f"It has {', '.join(self.presets[task])}.",
            )
        return self.presets[task][quality]

    def save(self, path: Path) -> None:
        """Write the spec as JSON."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n", encoding="utf-8")


def load_spec(path: Path) -> ModelSpec:
    """Read a spec.

    Args:
        path: JSON file.

    Raises:
        IncompatibleCheckpoint: It is not a spec of this version.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        presets = {
            task: {quality: Preset(**preset) for quality, preset in qualities.items()}
            for task, qualities in fields.pop("presets").items()
        }
        return ModelSpec(**{**fields, "stems": tuple(fields["stems"]), "presets": presets})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise IncompatibleCheckpoint(
            f"{path}: not a model spec of this version ({error})",
            "Reinstall msdm, or fetch the model again.",
        ) from error
