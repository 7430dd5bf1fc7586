"""Train a network on a folder of songs in the layout of Slakh.

    python -m scripts.train DATA RUN --steps 4000
    python -m scripts.train slakh RUN --architecture unet1d --precision bf16-mixed
    python -m scripts.train slakh RUN --architecture unet1d --stem bass --config small.json
    python -m scripts.train DATA RUN --recipe '{"augmentation": {"silenced": 0.2}}'

DATA holds ``train/`` and ``validation/``. RUN receives ``last.ckpt`` (resumes bit for bit),
``best.safetensors`` (the averaged weights with the best validation figure so far), ``config.json``
and ``log.jsonl``. The same command, with as many devices, resumes a run that was stopped.

Lightning Fabric runs it on one CPU, one GPU, or several of them (``--devices``; each takes
``--batch`` crops a step), on one machine or several (``--num-nodes``). On two cores, two processes
of one thread are faster than one of two.

On Intel's CPUs without AMX ``bf16-mixed`` is slower than ``32-true``, and with ``--compiled`` its
gradients were not finite, which ends the run.
"""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from scripts.songs import STEMS
from scripts.train.batches import draw_batches
from scripts.train.devices import Precision, UnknownPlaceError, launch, leave
from scripts.train.initial import OtherNetworkError, load_initial
from scripts.train.loop import train
from scripts.train.recipes import RECIPES, Recipe
from scripts.train.run import Run
from scripts.train.told_sketches import SketchBlur

CONFIG = "config.json"


def main(  # noqa: PLR0913  the options of a command
    data: Annotated[Path, typer.Argument(help="Folder with train/ and validation/.")],
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    *,
    architecture: Annotated[
        str, typer.Option(help=f"What is trained: {', '.join(RECIPES)}.")
    ] = "stft_unet",
    config: Annotated[
        Path | None, typer.Option(help="Size of the network, as JSON; a resumed run keeps its own.")
    ] = None,
    stem: Annotated[
        str | None, typer.Option(help="Only this stem: a model of the paper's second family.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="When the run ends.")] = None,
    decay_steps: Annotated[
        int | None, typer.Option(help="Last steps, in which the learning rate falls.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Crops a step, of each process.")] = None,
    length: Annotated[int | None, typer.Option(help="Length of a crop, in samples.")] = None,
    codes: Annotated[
        Path | None,
        typer.Option(
            help="Weights of a sketch_prior (safetensors), which a sketch_envelope needs."
        ),
    ] = None,
    validation_length: Annotated[
        int | None,
        typer.Option(
            help="Length of a validation crop; figures depend on it.", show_default="12 s"
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Decides all that is random.")] = None,
    changes: Annotated[
        str, typer.Option("--recipe", help="Other fields of the recipe, as JSON.")
    ] = "{}",
    precision: Precision = Precision.single,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or others of Fabric.")] = "auto",
    devices: Annotated[int, typer.Option(help="Processes, on each machine.")] = 1,
    num_nodes: Annotated[
        int, typer.Option(help="Machines; each runs this command, see the README.")
    ] = 1,
    compiled: Annotated[
        bool,
        typer.Option("--compiled", help="Compile the network: minutes, then steps a sixth faster."),
    ] = False,
    validate_every: Annotated[int, typer.Option(help="Steps between validations.")] = 400,
    initial: Annotated[
        Path | None,
        typer.Option(
            help="Start from these weights (safetensors); "
            "numbers of blocks and attention layers may differ."
        ),
    ] = None,
) -> None:
    """Train on DATA/train, choose by DATA/validation, keep everything in RUN."""
    try:
        fabric = launch(accelerator, devices, precision, num_nodes)
    except UnknownPlaceError as error:
        raise typer.BadParameter(str(error), param_hint="--num-nodes") from error
    asked: dict[str, Any] = {"steps": steps, "decay_steps": decay_steps, "batch": batch}
    asked["codes"] = str(codes) if codes else None
    recipe = _choose_recipe(architecture, changes, asked | {"length": length, "seed": seed}, stem)
    torch.manual_seed(recipe.options.seed)
    torch.set_flush_denormal(True)
    stems = (stem,) if stem else STEMS
    kept = folder / CONFIG
    size = config or (kept if kept.exists() else None)
    network = recipe.build(size, len(stems)).to(memory_format=torch.channels_last)
    recipe = recipe.sized(network.config)
    corpus = recipe.material.open(data / "train", stems)
    validation_corpus = recipe.material.open(data / "validation", stems)
    validation = recipe.material.validation(validation_corpus, recipe, validation_length)
    folder.mkdir(parents=True, exist_ok=True)
    objective = recipe.objective(network)
    if compiled:
        objective.compile()
    run = Run(fabric, folder, network, objective, recipe.options)
    # After the set-up, which has moved the weights to their device.
    resumed = run.resume()
    if not resumed:
        _begin(run, recipe, corpus, initial)
    kept.write_text(json.dumps(dataclasses.asdict(network.config), indent=2) + "\n")
    run.log(
        event="resumed" if resumed else "started",
        songs=len(corpus.songs),
        validation_songs=len(validation_corpus.songs),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        devices=fabric.world_size,
        options=dataclasses.asdict(recipe.options),
        recipe=changes,
    )
    batches = draw_batches(corpus, recipe, run.step, fabric.global_rank)
    train(run, batches, validation, validate_every)
    leave()


def _choose_recipe(
    architecture: str, changes: str, asked: dict[str, Any], stem: str | None
) -> Recipe:
    """The recipe of an architecture with the fields and settings that were asked for."""
    if architecture not in RECIPES:
        names = ", ".join(RECIPES)
        raise typer.BadParameter(
            f"expected {names}, got {architecture}", param_hint="--architecture"
        )
    recipe = RECIPES[architecture].changed(json.loads(changes))
    if stem and recipe.relates:
        raise typer.BadParameter(
            "one stem alone needs a --recipe without the questions that relate stems"
        )
    recipe = recipe.changed(
        {"options": {name: value for name, value in asked.items() if value is not None}}
    )
    if isinstance(recipe.questions, SketchBlur) and not recipe.options.codes:
        raise typer.BadParameter(
            f"a {architecture} needs the weights of a sketch_prior", param_hint="--codes"
        )
    return recipe


def _begin(run: Run, recipe: Recipe, corpus: Any, initial: Path | None) -> None:
    """Give the network of a new run its first weights."""
    if initial:
        try:
            load_initial(run.network, initial)
        except OtherNetworkError as error:
            raise typer.BadParameter(str(error), param_hint="--initial") from error
    else:
        recipe.material.measure(run.network, corpus, recipe)
    run.begin_average()


if __name__ == "__main__":
    typer.run(main)
