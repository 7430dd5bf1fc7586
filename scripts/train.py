"""Train a network on a folder of songs in the Slakh layout.

    python scripts/train.py DATA RUN --steps 4000
    python scripts/train.py slakh RUN --architecture unet1d --steps 1000000 --precision bf16-mixed
    python scripts/train.py slakh RUN --architecture unet1d --stem bass --config small.json
    python scripts/train.py DATA RUN --recipe '{"augmentation": {"silenced": 0.2}}'

DATA holds ``train/`` and ``validation/``. RUN receives ``last.ckpt`` (resumes bit for bit), ``best.safetensors`` (the
averaged weights with the best validation figure so far), ``config.json`` and ``log.jsonl``. Run the same command, with
as many devices, again to resume. Lightning Fabric runs it on one CPU, one GPU, or several of them (``--devices``; each
takes ``--batch`` crops a step): with ``--accelerator cpu``, two processes on two cores, with a thread each, take fewer
seconds than one with two.

On a CPU, an allocator that keeps what is freed (``LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=dirty_decay_ms:-1``) saved a
fifth of a step or more; while songs were decoded it once kept 17 GB, which 10000 did not. On Intel's CPUs without AMX
``bf16-mixed`` is slower than ``32-true``, and with ``--compiled`` its gradients were not finite, which ends the run.
"""

import dataclasses
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from safetensors.torch import load_file, save_file
from torch import Tensor

from msdm_cli.networks.stft_unet import StftUnet
from training.corpus import Augmentation, Corpus
from training.muon import Muon
from training.published import PublishedValidation
from training.questions import QuestionMix
from training.recipes import RECIPES, Recipe, TrainingOptions
from training.validation import Validation

STEMS = ("bass", "drums", "guitar", "piano")
SAMPLE_RATE = 22050
SD_CROPS = 200


class Architecture(str, Enum):
    """What can be trained."""

    stft_unet = "stft_unet"
    unet1d = "unet1d"


class Precision(str, Enum):
    """What can be computed in; half precision needs its gradients scaled, which two optimizers do not share."""

    single = "32-true"
    bfloat16 = "bf16-mixed"


class Mixed(MixedPrecision):
    """Autocast, which computes in half precision what bears it; what the objective is given stays as it is.

    Fabric's own would round stems, sigmas and noise, too, and CUDA has no Fourier transform of bfloat16.
    """

    def convert_input(self, data: Any) -> Any:
        """The inputs of a module, as they are."""
        return data


def batches(
    corpus: Corpus, recipe: Recipe, options: TrainingOptions, start: int, rank: int
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Stems, sigmas, given flags and noise of each step from ``start`` on, one step ahead of the training."""

    def draw(step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        items = []
        for item in range(options.batch):
            rng = np.random.default_rng((options.seed, step, rank, item))
            sigma, given = recipe.questions.draw(rng, len(corpus.stems))
            if recipe.augmentation is None:
                stems = corpus.crop(rng, options.length)
            else:
                stems = corpus.augmented(rng, options.length, recipe.augmentation)
            noise = rng.standard_normal(stems.shape, dtype=np.float32)
            items.append((stems, sigma.astype(np.float32), np.float32(given), noise))
        stems, sigma, given, noise = (
            torch.from_numpy(np.stack(column)) for column in zip(*items, strict=True)
        )
        return stems, sigma, given, noise

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw, start)
        for step in range(start, options.steps):
            batch = ahead.result()
            if step + 1 < options.steps:
                ahead = pool.submit(draw, step + 1)
            yield batch


def measure_sd(
    corpus: Corpus, network: StftUnet, options: TrainingOptions, augmentation: Augmentation
) -> Tensor:
    """Standard deviation of each stem and bin over augmented crops, ``[S, bins]``, smoothed over neighbouring bins."""
    power = torch.zeros_like(network.sd)
    for index in range(SD_CROPS):
        crop = corpus.augmented(
            np.random.default_rng((options.seed, index)), options.length, augmentation
        )
        power += (
            network.stft(torch.from_numpy(crop).to(power.device)).square().sum(1).mean(-1)
            / SD_CROPS
        )
    padded = torch.nn.functional.pad(power, (1, 1), mode="replicate")
    return ((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3 + 1e-10).sqrt()


def load_initial(network: torch.nn.Module, path: Path) -> None:
    """Load weights of a network of the same size, or one of fewer or more blocks or attention layers.

    What is new changes nothing yet; blocks and layers that are too many at the end are left out.

    Raises:
        typer.BadParameter: They are of another network.
    """
    refusal = typer.BadParameter(f"weights of another network: {path}", param_hint="--initial")
    try:
        missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    except RuntimeError as error:
        raise refusal from error
    if not all(name.startswith(("attention.", "down.", "up.")) for name in (*missing, *unexpected)):
        raise refusal


def build_optimizers(
    network: torch.nn.Module, options: TrainingOptions
) -> list[torch.optim.Optimizer]:
    """AdamW, and with ``muon`` Muon for linear layers (not those of single bands) and two-dimensional convolutions.

    Queries, keys and values are three matrices in one: as one, the gradient of the values would leave queries and keys
    where they began.
    """
    found: list[torch.optim.Optimizer] = []
    parameters = list(network.parameters())
    if options.muon:
        fused = [
            parameter
            for name, parameter in network.named_parameters()
            if name.endswith("qkv.weight")
        ]
        taken = {id(parameter) for parameter in fused}
        single = [
            parameter
            for parameter in parameters
            if parameter.ndim in (2, 4) and id(parameter) not in taken
        ]
        groups = [{"params": single}, {"params": fused, "parts": 3}]
        parameters = [parameter for parameter in parameters if parameter.ndim not in (2, 4)]
        found.append(Muon(groups, options.learning_rate, weight_decay=options.weight_decay))
    betas = (0.9, 0.99)
    return [
        *found,
        torch.optim.AdamW(
            parameters, options.learning_rate, betas, weight_decay=options.weight_decay
        ),
    ]


class Run:
    """The state of a training run and the folder it lives in."""

    def __init__(
        self, fabric: Fabric, folder: Path, network: Any, options: TrainingOptions
    ) -> None:
        self.fabric, self.folder, self.options = fabric, folder, options
        self.network = network
        self.optimizers = build_optimizers(network, options)
        self.average: dict[str, Tensor] = {}
        self.step, self.best, self.seconds, self.cpu_seconds = 0, float("-inf"), 0.0, 0.0

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {
            "network": self.network.state_dict(), "average": self.average,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step, "best": self.best, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds,
        }  # fmt: skip

    def save(self) -> None:
        """Write ``last.ckpt``, never half."""
        if self.fabric.is_global_zero:
            temporary = self.folder / "last.ckpt.part"
            torch.save(self.state(), temporary)
            temporary.replace(self.folder / "last.ckpt")

    def resume(self) -> bool:
        """Load ``last.ckpt`` if there is one."""
        path = self.folder / "last.ckpt"
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.average = state["average"]
        self.step, self.best = state["step"], state["best"]
        self.seconds, self.cpu_seconds = state["seconds"], state["cpu_seconds"]
        return True

    def update_average(self) -> None:
        """Exponential moving average of the weights, faster at the start."""
        decay = min(self.options.ema_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            self.average[name] = (
                self.average[name].to(value.device).lerp_(value.detach(), 1 - decay)
            )

    def log(self, **fields: object) -> None:
        """One line for a person, one for a machine."""
        if self.fabric.is_global_zero:
            hours = {
                "hours": round(self.seconds / 3600, 3),
                "core_hours": round(self.cpu_seconds / 3600, 3),
            }
            record = {"step": self.step, **hours, **fields}
            with (self.folder / "log.jsonl").open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(" ".join(f"{key}={value}" for key, value in record.items()), flush=True)

    def validate(self, validation: Validation | PublishedValidation) -> None:
        """Score the averaged weights, and keep them if they are the best so far."""
        trained = {
            name: value.detach().clone() for name, value in self.network.state_dict().items()
        }
        self.network.load_state_dict(self.average)
        figures = validation.score(self.network)
        figure = figures.pop("figure")
        if figure > self.best:
            self.best = figure
            if self.fabric.is_global_zero:
                temporary = self.folder / "best.safetensors.part"
                save_file(
                    {name: value.cpu().contiguous() for name, value in self.average.items()},
                    temporary,
                )
                temporary.replace(self.folder / "best.safetensors")
        self.network.load_state_dict(trained)
        self.log(**{name: round(value, 3) for name, value in figures.items()})


def backward_by_crop(
    fabric: Fabric, objective: Any, batch: Sequence[Tensor], max_norm: float
) -> Tensor:
    """Leave the mean of all processes' gradients, those of each crop clipped, in ``.grad``.

    A tenth of the crops has three fifths of the squared norms: without it, few of a batch decide where a step goes.

    Args:
        fabric: Of the processes.
        objective: As ``fabric`` has set it up.
        batch: What it takes, a row per crop.
        max_norm: Norm that the gradient of a crop is clipped to.

    Returns:
        Mean loss of this process.

    Raises:
        RuntimeError: A gradient is not finite.
    """
    parameters = list(objective.parameters())
    total = [torch.zeros_like(parameter) for parameter in parameters]
    losses = []
    for crop in zip(*(part.split(1) for part in batch), strict=True):
        with fabric.no_backward_sync(objective):
            losses.append(objective(*crop).mean())
            fabric.backward(losses[-1])
        torch.nn.utils.clip_grad_norm_(parameters, max_norm)
        for mean, parameter in zip(total, parameters, strict=True):
            if parameter.grad is not None:
                mean.add_(parameter.grad, alpha=1 / len(batch[0]))
                parameter.grad = None
    flat = fabric.all_reduce(
        torch.cat([mean.flatten() for mean in total])
    )  # in one: every call waits for all
    if (
        not flat.isfinite().all()
    ):  # seen by all processes, which would wait for each other otherwise
        raise RuntimeError("a gradient is not finite")
    for mean, parameter, part in zip(
        total, parameters, flat.split([mean.numel() for mean in total]), strict=True
    ):
        parameter.grad = mean.copy_(part.view_as(mean))
    return torch.stack(losses).mean().detach()


def train(
    run: Run,
    recipe: Recipe,
    objective: torch.nn.Module,
    optimizers: Sequence[Any],
    corpus: Corpus,
    validation: Any,
    every: int,
) -> None:
    """Train from where the run stands to its last step."""
    options, losses = run.options, []
    devices = run.fabric.world_size
    began, cpu_began = (
        time.monotonic() - run.seconds,
        time.process_time() - run.cpu_seconds / devices,
    )
    steps = batches(corpus, recipe, options, run.step, run.fabric.global_rank)
    for batch in steps:
        objective.zero_grad()
        inputs = run.fabric.to_device(batch)
        if options.crop_norm is None:
            loss = objective(*inputs).mean()
            run.fabric.backward(loss)
            torch.nn.utils.clip_grad_norm_(
                objective.parameters(), max_norm=1.0, error_if_nonfinite=True
            )
        else:
            loss = backward_by_crop(run.fabric, objective, inputs, options.crop_norm)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = options.rate(run.step)
            optimizer.step()
        losses.append(loss.item())
        run.step += 1
        run.seconds = time.monotonic() - began
        run.cpu_seconds = (time.process_time() - cpu_began) * devices
        run.update_average()
        if run.step % 50 == 0:
            run.log(loss=round(float(np.mean(losses)), 4), lr=options.rate(run.step))
            losses.clear()
        if run.step % every == 0 or run.step == options.steps:
            run.validate(validation)
            run.save()


def main(
    data: Path,
    folder: Annotated[Path, typer.Argument(metavar="RUN")],
    *,
    architecture: Annotated[
        Architecture, typer.Option(help="What is trained, and how.")
    ] = Architecture.stft_unet,
    config: Annotated[
        Path | None,
        typer.Option(help="Size of the network, as JSON; a run that goes on keeps its own."),
    ] = None,
    stem: Annotated[
        str | None, typer.Option(help="Only this stem: a model of the paper's second family.")
    ] = None,
    steps: int | None = None,
    decay_steps: int | None = None,
    batch: int | None = None,
    length: int | None = None,
    validation_length: Annotated[
        int, typer.Option(help="As long as a chunk of msdm; stays, so that figures compare.")
    ] = 262144,
    seed: int | None = None,
    changes: Annotated[
        str, typer.Option("--recipe", help="Other fields of the recipe, as JSON.")
    ] = "{}",
    precision: Precision = Precision.single,
    accelerator: Annotated[
        str, typer.Option(help="auto, cpu, cuda or another that Fabric knows.")
    ] = "auto",
    devices: int = 1,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compiled", help="Compile the network: minutes, then a sixth less of every step."
        ),
    ] = False,
    validate_every: int = 400,
    initial: Annotated[
        Path | None,
        typer.Option(
            help="Start from these weights (safetensors); numbers of blocks and attention layers may differ."
        ),
    ] = None,
) -> None:
    """Train on DATA/train, choose by DATA/validation, keep everything in RUN."""
    on_cpu = accelerator == "cpu" or (accelerator == "auto" and not torch.cuda.is_available())
    mixed = (
        Mixed(precision.value, "cpu" if on_cpu else "cuda")
        if precision is Precision.bfloat16
        else None
    )
    fabric = Fabric(accelerator=accelerator, devices=devices, plugins=mixed)
    fabric.launch()
    recipe = RECIPES[architecture.value].changed(json.loads(changes))
    asked = {
        "steps": steps,
        "decay_steps": decay_steps,
        "batch": batch,
        "length": length,
        "seed": seed,
    }
    options = dataclasses.replace(
        recipe.options, **{key: value for key, value in asked.items() if value is not None}
    )
    torch.manual_seed(options.seed)
    torch.set_flush_denormal(True)
    if stem and isinstance(recipe.questions, QuestionMix) and recipe.questions.relates:
        raise typer.BadParameter(
            "one stem alone needs a --recipe without the questions that relate stems"
        )
    stems = (stem,) if stem else STEMS
    kept = folder / "config.json"
    size = config or (kept if kept.exists() else None)
    network = recipe.build(size, len(stems)).to(memory_format=torch.channels_last)
    corpus = Corpus(data / "train", stems, SAMPLE_RATE)
    validation = recipe.validation(
        Corpus(data / "validation", stems, SAMPLE_RATE), validation_length
    )
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(fabric, folder, network, options)
    loss = recipe.objective(network)
    if compiled:
        loss.compile()
    objective, *optimizers = fabric.setup(loss, *run.optimizers)
    resumed = run.resume()  # after the set-up, which has moved the weights to their device
    if not resumed:
        if initial:
            load_initial(network, initial)
        elif isinstance(network, StftUnet):
            assert recipe.augmentation
            network.sd.copy_(measure_sd(corpus, network, options, recipe.augmentation))
        run.average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    kept.write_text(json.dumps(dataclasses.asdict(network.config), indent=2) + "\n")
    run.log(
        event="resumed" if resumed else "started", songs=len(corpus.songs),
        validation_songs=len(validation.corpus.songs), parameters=sum(p.numel() for p in network.parameters()),
        devices=devices, options=dataclasses.asdict(options), recipe=changes,
    )  # fmt: skip
    train(run, recipe, objective, optimizers, corpus, validation, validate_every)


if __name__ == "__main__":
    typer.run(main)
