"""How loops of the embedded model close: the kink at the seam, beside kinks at other places.

    python -m scripts.bench.loops --count 4 --quality fast --output scripts/bench/loops.md

A kink is a second difference. One at the seam that is larger than elsewhere is heard as a click; a
steep slope that goes on is none.
"""

from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import Model, load_model
from msdm_cli.tasks.controls import Controls
from scripts.bench.report import OutputOption, Report

SECONDS = 8.0
"""About the length of a loop."""
NEAR = 1100
"""Samples on either side that a kink is compared with: 50 ms."""
QUIET = 1e-4
"""Kinks of stems that rest are compared with this."""


def draw_loop(model: Model, seed: int, quality: str) -> tuple[str, Samples]:
    """What a loop of a few bars is like, and its stems, ``[S, T]``."""
    controls = Controls().filled(seed, len(model.spec.stems))
    bars = max(1, round(SECONDS / controls.bar_seconds))
    made = model.generate(bars=bars, seed=seed, controls=controls, quality=quality)
    stems = np.concatenate([made[name] for name in model.spec.stems])
    return f"{controls.style}, {controls.tempo:g} bpm, {bars} bars", stems


def measure_kinks(stems: Samples, place: int) -> NDArray[np.float64]:
    """The kink before a place of a loop, relative to the usual one near it, ``[S]``."""
    around = np.arange(place - NEAR, place + NEAR) % stems.shape[1]
    kinks = np.abs(np.diff(stems[:, around].astype(np.float64), n=2, axis=1))
    usual = np.sqrt(np.square(kinks).mean(1))
    # The kinks at the last sample before the place, and at the first one after it.
    largest: NDArray[np.float64] = kinks[:, NEAR - 2 : NEAR].max(1)
    return largest / np.maximum(usual, QUIET)


def main(
    *,
    count: Annotated[int, typer.Option(help="Number of loops.")] = 6,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "default",
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_model(device="cpu")
    report = Report(
        f"The kink where {count} loops begin again, quality {quality}, by `python -m "
        "scripts.bench.loops`: second differences relative to their root mean square within 50 ms.",
        "Beside it, those at places that mean nothing.",
    )
    stems = model.spec.stems
    report.begin_table("loop", *(f"{name}, seam" for name in stems), "elsewhere, all stems")
    for seed in range(count):
        name, loop = draw_loop(model, seed, quality)
        seam = measure_kinks(loop, 0)
        places = np.random.default_rng(seed).integers(loop.shape[1], size=100)
        elsewhere = np.sqrt(np.mean([measure_kinks(loop, place) ** 2 for place in places]))
        report.row(name, *(f"{step:.1f}" for step in seam), f"{elsewhere:.1f}")
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
