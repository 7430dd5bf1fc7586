"""What separation would gain if it knew the sketches of the stems.

    python -m scripts.bench.sketch_oracle DATA/validation --output scripts/bench/sketch_oracle.md

Estimates of the network are moved to the true sketches of the stems, band by band
(``msdm_cli.representations.sketch_agreement``), and what is missing of the mixture is shared out
evenly. No network is trained for it, so this is less than a network could make of the sketches.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import load_model
from msdm_cli.representations.sketch import MARGIN, find_sketch
from msdm_cli.representations.sketch_agreement import agree
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES, SketchCodes
from scripts.bench.report import OutputOption, Report
from scripts.bench.scores import LEGEND, add_scores
from scripts.bench.separation import Method, Separator, by_model
from scripts.songs import list_songs, load_middle


def sketch_stems(stems: Samples) -> Samples:
    """The sketches of whole stems, ``[S, T] -> [S, BANDS, T / HOP]``."""
    return find_sketch(np.pad(stems, ((0, 0), (MARGIN, MARGIN))))


def by_true_sketches(
    separate: Separator, times: int, share: float = 1.0, codes: SketchCodes | None = None
) -> Separator:
    """Estimates of another way, moved to the true sketches.

    Args:
        separate: The other way.
        times: How often they are moved. Bands overlap, so once is not enough.
        share: How far, 1 for all the way.
        codes: The true sketches are those that codes keep, if given.
    """

    def mend(stems: Samples) -> Samples:
        estimates = separate(stems)
        true = sketch_stems(stems)
        if codes:
            true = codes.decode(codes.encode(true))
        sketch = share * true + (1 - share) * sketch_stems(estimates)
        for _ in range(times):
            moved = agree(estimates, sketch)
            estimates = moved + (stems.sum(0) - moved.sum(0)) / len(stems)
        return estimates

    return mend


def load_excerpt(song: Path, seconds: float) -> Samples:
    """The middle of a song, a whole number of tokens long."""
    stems = load_middle(song, seconds)
    return stems[:, : stems.shape[1] // TOKEN_SAMPLES * TOKEN_SAMPLES]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Folders of songs in Slakh's layout.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 24.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs of each.")] = None,
    output: OutputOption = None,
) -> None:
    """Print a table for each folder."""
    model = load_model(device="cpu")
    assert model.codes is not None
    separate = by_model(model, model.spec.preset("separate", "fast"))
    ways = (
        ("the network", separate),
        ("moved half-way to the true sketches, once", by_true_sketches(separate, 1, 0.5)),
        ("moved to what codes keep of them, once", by_true_sketches(separate, 1, 1.0, model.codes)),
        ("moved to them, once", by_true_sketches(separate, 1)),
        ("moved to them, twice", by_true_sketches(separate, 2)),
    )
    methods = [Method(name, 1, way) for name, way in ways]
    report = Report("SI-SDRi in dB, by `python -m scripts.bench.sketch_oracle`.", LEGEND)
    for folder in folders:
        excerpts = [load_excerpt(song, seconds) for song in list_songs(folder)[:limit]]
        report.write(f"{seconds:g} s of each of {len(excerpts)} songs:")
        add_scores(report, methods, excerpts, model.spec)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
