"""Several takes of one request, which differ in their seeds."""

from typing import TYPE_CHECKING

import typer

from msdm_cli.cli.display import STOPPED

if TYPE_CHECKING:
    from msdm_cli.diffusion.samplers import Preset


def choose_seeds(seed: int | None, count: int, preset: "Preset") -> range:
    """Seeds that follow each other, from the one that was asked for or a new one.

    Raises:
        BadParameter: The sampler uses no noise, and so all takes would be the same.
    """
    from msdm_cli.jobs.identity import draw_seed

    if count > 1 and not preset.uses_noise:
        raise typer.BadParameter(
            f"the sampler {preset.sampler} uses no noise, so that all takes would be the same",
            param_hint="--variations",
        )
    first = draw_seed() if seed is None else seed
    return range(first, first + count)


def describe_stop(asked: int | None, seeds: range) -> str:
    """What to say after Ctrl-C. A seed that was drawn must be given to continue."""
    if asked is not None:
        return STOPPED
    return f"stopped; the same command with --seed {seeds[0]} continues from here"
