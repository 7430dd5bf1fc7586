"""SI-SDRi of the embedded model by the instruments that songs are played on.

    python -m scripts.bench.timbres DATA/validation --output scripts/bench/timbres.md

Songs are those of ``scripts.dataset``, whose ``metadata.json`` names the timbres. New songs on
training instruments measure what the instruments alone cost.
"""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.evaluation.metrics.metric import SeparatedSong
from msdm_cli.evaluation.metrics.si_sdr import SI_SDR, SiSdrRow
from msdm_cli.interface import load_model
from scripts.bench.report import OutputOption, Report
from scripts.bench.separation import by_model
from scripts.songs import list_songs, load_middle


def name_instruments(song: Path) -> dict[str, str]:
    """By stem, the instruments or sound fonts that it is played on, without presets."""
    stems = json.loads((song / "metadata.json").read_text())["stems"]
    return {
        stem: " + ".join(sorted({name.split(":")[0] for name in details["timbres"]}))
        for stem, details in stems.items()
    }


def main(
    songs: Annotated[Path, typer.Argument(help="Songs of scripts.dataset.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 24.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the table, the worst instruments of each stem first."""
    model = load_model(device="cpu")
    stems = model.spec.stems
    separate = by_model(model, model.spec.preset("separate", "default"))
    rows: list[SiSdrRow] = []
    folders = list_songs(songs)[:limit]
    for folder in folders:
        truth = load_middle(folder, seconds)
        instruments = name_instruments(folder)
        estimate = separate(truth)
        song = SeparatedSong("", folder.name, stems, estimate, truth, model.spec.sample_rate)
        # The metric groups rows by method: here, by instruments.
        rows += [
            dataclasses.replace(row, method=instruments[row.stem])
            for row in SI_SDR.score(song)
            if row.active
        ]
    report = Report(
        f"SI-SDRi in dB by instrument, at `default`, on {seconds:g} s of each of {len(folders)} "
        "held-out songs, by `python -m scripts.bench.timbres`. Only the windows of 4 s in which a "
        "stem sounds count."
    )
    report.begin_table("stem", "instruments", "songs", "SI-SDRi")
    for stem in stems:
        summaries = SI_SDR.summarise([row for row in rows if row.stem == stem], [stem])
        figures = sorted(
            (summary.stems[stem], summary.method, summary.songs) for summary in summaries
        )
        for figure, played_on, count in figures:
            report.row(stem, played_on, count, f"{figure:.2f}")
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
