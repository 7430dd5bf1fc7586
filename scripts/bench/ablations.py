"""What a change of the training brings: variants of one run, from one start, for the same number of steps.

    python scripts/bench/ablations.py DATA RUNS "as it is=" "batch 3=--batch 3 --length 98304" --start last.ckpt

A variant is a name and further arguments of ``scripts/train.py``; one that makes steps cheaper or dearer gets its own
``--steps`` (the start's counted), so that minutes agree. As many run at a time as there are cores, with a thread each.
The table is added to the end of the log. A variant that is done is not trained again.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import torch
import typer

TRAIN = Path(__file__).parents[1] / "train.py"
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


def train_variant(
    data: Path, run: Path, arguments: list[str], start: Path | None
) -> dict[str, float]:
    """Train one variant, and give the figures of its last validation and its minutes.

    Raises:
        RuntimeError: The training failed (``output.txt`` in its folder tells how), or the folder is of another one.
    """
    asked = json.dumps({"arguments": arguments, "start": str(start)})
    if not run.exists():
        temporary = run.with_name(f"{run.name}.part")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        (temporary / "asked.json").write_text(asked)
        if start:
            shutil.copy(start, temporary / "last.ckpt")
        temporary.rename(run)
    if (run / "asked.json").read_text() != asked:
        raise RuntimeError(
            f"{run}: is of another start or other arguments; remove it, or name the variant otherwise"
        )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (run / "output.txt").open("a") as file:
        command = [sys.executable, str(TRAIN), str(data), str(run), *arguments]
        if subprocess.run(
            command, env=environment, stdout=file, stderr=file, check=False
        ).returncode:
            raise RuntimeError(f"{run}: training failed, see {file.name}")
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    begun = next(record for record in log if "event" in record)
    final = [record for record in log if COLUMNS[-1] in record][-1]
    return final | {"minutes": (final["hours"] - begun["hours"]) * 60, "songs": begun["songs"]}


def main(
    data: Path,
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="Receives a run per variant.")],
    variants: Annotated[list[str], typer.Argument(metavar="NAME=ARGUMENTS...")],
    *,
    steps: Annotated[int, typer.Option(help="Steps of training from the start.")] = 240,
    start: Annotated[
        Path | None, typer.Option(help="Checkpoint to start from; from nothing if not given.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Variants at a time.")] = os.cpu_count() or 1,
    output: Annotated[Path | None, typer.Option(help="Log that the table is added to.")] = None,
) -> None:
    """Train the variants, and print the table."""
    first = torch.load(start, map_location="cpu", weights_only=True)["step"] if start else 0
    common = [
        "--steps",
        str(first + steps),
        "--decay-steps",
        str(steps // 2),
        "--validate-every",
        str(first + steps),
    ]
    named = dict(variant.split("=", 1) for variant in variants)
    if len({name.replace(" ", "-") for name in named}) < len(variants):
        raise typer.BadParameter("two variants have the same name")
    with ThreadPoolExecutor(jobs) as pool:
        begun = {
            name: pool.submit(
                train_variant,
                data,
                runs / name.replace(" ", "-"),
                common + shlex.split(extra),
                start,
            )
            for name, extra in named.items()
        }
        found = {name: future.result() for name, future in begun.items()}
    songs = next(iter(found.values()))["songs"]
    origin = (
        f"step {first}"
        if start
        else "`--initial`"
        if "--initial" in " ".join(variants)
        else "nothing"
    )
    lines = [
        f"## {steps} steps from {origin}, {songs} songs, {jobs} variants at a time",
        "",
        "| variant | arguments | steps | minutes | " + " | ".join(COLUMNS) + " |",
        "|---" * (4 + len(COLUMNS)) + "|",
    ]
    for name, extra in named.items():
        figures = found[name]
        cells = [f"{figures[column]:.3f}" if column in figures else "" for column in COLUMNS]
        cells = [f"{figures['step'] - first}", f"{figures['minutes']:.0f}", *cells]
        lines.append(f"| {name} | {f'`{extra}`' if extra else ''} | " + " | ".join(cells) + " |")
    print("\n".join(lines))
    if output:
        with output.open("a") as file:
            file.write("\n".join(lines) + "\n\n")


if __name__ == "__main__":
    typer.run(main)
