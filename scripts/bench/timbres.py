"""SI-SDRi of the embedded model by the instruments that songs are played on: which it knows, and which it does not.

    python scripts/bench/timbres.py DATA/validation --output scripts/bench/timbres.md

Songs are those of ``scripts/build_dataset.py``, whose ``metadata.json`` names the timbres; songs of training
instruments that no run has learned from tell what the instruments alone cost.
"""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from quality import by_model, list_songs, load_stems

from msdm_cli.backends.runtime import Runtime
from msdm_cli.evaluation.metrics import score_windows
from msdm_cli.evaluation.scores import Score, list_scores, summarise
from msdm_cli.models.load import load_model


def name_instruments(song: Path) -> dict[str, str]:
    """Stem to the instruments or sound fonts that it is played on, without presets."""
    stems = json.loads((song / "metadata.json").read_text())["stems"]
    return {
        stem: " + ".join(sorted({name.split(":")[0] for name in about["timbres"]}))
        for stem, about in stems.items()
    }


def main(
    songs: Annotated[Path, typer.Argument(help="Songs of scripts/build_dataset.py.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 24.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
) -> None:
    """Print the table, the worst instruments of each stem first."""
    model = load_model("embedded", Runtime(device="cpu"))
    names, rate = model.spec.stems, model.spec.sample_rate
    separate = by_model(model, model.spec.preset("separate", "default"), 0)
    rows: list[Score] = []
    folders = list_songs(songs)[:limit]
    for folder in folders:
        stems, instruments = load_stems(folder, names, seconds), name_instruments(folder)
        found = list_scores("", folder.name, names, score_windows(separate(stems), stems, rate))
        rows += [
            dataclasses.replace(row, method=instruments[row.stem]) for row in found if row.active
        ]
    lines = [
        f"SI-SDRi in dB by instrument, of `default` on {seconds:g} s of each of {len(folders)} songs, by "
        "`scripts/bench/timbres.py`. The windows of 4 s in which a stem sounds count.",
        "",
        "| stem | instruments | songs | SI-SDRi |",
        "|---|---|---|---|",
    ]
    for stem in names:
        summaries = summarise([row for row in rows if row.stem == stem], [stem])
        lines += [
            f"| {stem} | {summary.method} | {summary.songs} | {summary.active:.2f} |"
            for summary in sorted(summaries, key=lambda summary: summary.active)
        ]
    print("\n".join(lines))
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
