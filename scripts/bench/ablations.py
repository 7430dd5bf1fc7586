"""What a change of the training brings: variants of a run, from one start, for the same steps.

    python -m scripts.bench.ablations DATA RUNS "as it is=" "batch 3=--batch 3" --start last.ckpt

A variant is a name and further arguments of ``scripts.train``; one that makes steps cheaper or
dearer gets its own ``--steps`` (the start's counted), so that minutes agree. As many run at a time
as there are cores, with a thread each. The table is added to the end of the log. A variant that is
done is not trained again.
"""

import os
import shlex
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from scripts.bench.report import Report
from scripts.bench.variants import Variant, schedule, train_all

COLUMNS = (
    "si_sdri",
    "bass",
    "drums",
    "guitar",
    "piano",
    "denoise_0.05",
    "denoise_0.3",
    "denoise_1.0",
)


def parse_variants(texts: list[str]) -> dict[str, str]:
    """Arguments by the names of the variants.

    Raises:
        typer.BadParameter: Two have the same name, and so the same folder.
    """
    named = dict(text.split("=", 1) for text in texts)
    if len({name_folder(name) for name in named}) < len(texts):
        raise typer.BadParameter("two variants have the same name")
    return named


def name_folder(variant: str) -> str:
    """Name of the folder of a variant."""
    return variant.replace(" ", "-")


def list_cells(name: str, extra: str, figures: dict[str, Any], first: int) -> list[str]:
    """A row of the table."""
    return [
        name,
        f"`{extra}`" if extra else "",
        str(figures["step"] - first),
        f"{figures['minutes']:.0f}",
        *(f"{figures[column]:.3f}" if column in figures else "" for column in COLUMNS),
    ]


def name_start(start: Path | None, first: int, texts: list[str]) -> str:
    """What the variants start from."""
    if start:
        return f"step {first}"
    return "`--initial`" if "--initial" in " ".join(texts) else "nothing"


def main(  # noqa: PLR0913  the options of a command
    data: Annotated[Path, typer.Argument(help="Folder with train/ and validation/.")],
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="Receives a run per variant.")],
    variants: Annotated[list[str], typer.Argument(metavar="NAME=ARGUMENTS...")],
    *,
    steps: Annotated[int, typer.Option(help="Steps of training from the start.")] = 240,
    start: Annotated[
        Path | None, typer.Option(help="Checkpoint to start from; from nothing if not given.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Variants at a time.")] = os.cpu_count() or 1,
    output: Annotated[Path | None, typer.Option(help="Add the table to this file too.")] = None,
) -> None:
    """Train the variants, and print the table."""
    first = torch.load(start, map_location="cpu", weights_only=True)["step"] if start else 0
    named = parse_variants(variants)
    trained = train_all(
        {
            name: Variant(runs / name_folder(name), [*schedule(steps, first), *shlex.split(extra)])
            for name, extra in named.items()
        },
        data,
        start,
        jobs,
    )
    songs = next(iter(trained.values()))["songs"]
    origin = name_start(start, first, variants)
    report = Report(f"## {steps} steps from {origin}, {songs} songs, {jobs} variants at a time")
    report.begin_table("variant", "arguments", "steps", "minutes", *COLUMNS)
    for name, extra in named.items():
        report.row(*list_cells(name, extra, trained[name], first))
    report.append(output)


if __name__ == "__main__":
    typer.run(main)
