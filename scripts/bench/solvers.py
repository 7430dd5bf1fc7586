"""How many network calls a solver needs: its distance from the solution of the same ODE in many small steps.

    python scripts/bench/solvers.py tests/data/song --output scripts/bench/solvers.md

FOLDER holds the stems of a song (Slakh layout); imputation is given all but one of them.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from quality import load_stems

from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.conditions import Condition
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.models.load import Model, load_model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.sampling import Calls, ChunkSampler, calls_per_chunk

CALLS = (10, 25, 50)
FINE_STEPS = 150


def draw(model: Model, preset: Preset, condition: Condition, length: int, seed: int) -> Samples:
    """Stems of one chunk, ``[1, S, length]``."""
    stems = len(model.spec.stems)
    sampler = ChunkSampler(model, preset, NoiseField(seed, stems), Calls(SilentProgress()))
    return sampler.draw(condition, 0, 0, (1, stems, length))


def with_calls(preset: Preset, calls: int) -> Preset:
    """As many steps as so many calls allow."""
    return preset.with_steps((calls + 1) // 2 if preset.solver == "heun" else calls)


def main(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER")],
    *,
    model_name: Annotated[str, typer.Option("--model")] = "embedded",
    length: Annotated[int, typer.Option(help="Samples.")] = 65536,
    seeds: int = 2,
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
) -> None:
    """Print the table."""
    model = load_model(model_name, Runtime(device="cpu"))
    values = load_stems(folder, model.spec.stems, length / model.spec.sample_rate)[None, :, :length]
    known = np.ones_like(values, bool)
    known[:, -1] = False
    conditions = {"generate": Condition(), "impute": Condition(values=values, known=known)}
    lines = [
        f"Distance in dB (error relative to signal) from {FINE_STEPS} steps of Heun's method, {seeds} seeds of "
        f"{length / model.spec.sample_rate:.1f} s, by `scripts/bench/solvers.py`.",
        "",
        "| task | solver | " + " | ".join(f"{calls} calls" for calls in CALLS) + " |",
        "|---|---" + "|---" * len(CALLS) + "|",
    ]
    print("\n".join(lines), flush=True)
    for task, condition in conditions.items():
        preset = dataclasses.replace(model.spec.preset(task, "default"), eta=0.0)
        fine = dataclasses.replace(preset, solver="heun", num_steps=FINE_STEPS)
        exact = [draw(model, fine, condition, length, seed) for seed in range(seeds)]
        for solver in ("euler", "heun", "dpmpp_2m"):
            cells = []
            for calls in CALLS:
                chosen = with_calls(dataclasses.replace(preset, solver=solver), calls)
                assert calls_per_chunk(chosen) <= calls
                errors = [
                    (draw(model, chosen, condition, length, seed) - exact[seed])
                    for seed in range(seeds)
                ]
                ratio = sum(np.square(e).sum() for e in errors) / sum(
                    np.square(x).sum() for x in exact
                )
                cells.append(f"{10 * np.log10(ratio):.1f}")
            lines.append(f"| {task} | {solver} | " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
