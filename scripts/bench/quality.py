"""SI-SDRi of the embedded model, beside what needs no model and what knows the answer.

python -m scripts.bench.quality DATA/validation --output scripts/bench/quality.md
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from msdm_cli.diffusion.samplers import Preset
from msdm_cli.evaluation.oracles import ORACLES
from msdm_cli.interface import load_model
from scripts.bench.report import OutputOption, Report
from scripts.bench.scores import LEGEND, add_scores
from scripts.bench.separation import Method, by_model, by_static_wiener, name_presets
from scripts.songs import list_songs, load_middle


def main(  # noqa: PLR0913  the options of a command
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 24.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    only: Annotated[str, typer.Option(help="Only methods whose name contains this.")] = "",
    also: Annotated[list[str] | None, typer.Option(help="A further preset, as JSON.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of samplers that use noise.")] = 0,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_model(device="cpu")
    presets = name_presets(model)
    presets |= {text: Preset.from_json(json.loads(text)) for text in also or ()}
    methods = [
        Method("mixture", 0, lambda stems: np.broadcast_to(stems.sum(0), stems.shape)),
        Method("static Wiener filter", 0, by_static_wiener(model)),
        *(
            Method(name, preset.calls, by_model(model, preset, seed))
            for name, preset in presets.items()
        ),
        *(Method(name, 0, oracle) for name, oracle in ORACLES.items()),
    ]
    folders = list_songs(songs)[:limit]
    excerpts = [load_middle(folder, seconds) for folder in folders]
    report = Report(
        f"SI-SDRi in dB on {seconds:g} s of each of {len(excerpts)} held-out songs, "
        "by `python -m scripts.bench.quality`.",
        LEGEND,
    )
    chosen = [method for method in methods if only in method.name]
    add_scores(report, chosen, excerpts, model.spec)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
