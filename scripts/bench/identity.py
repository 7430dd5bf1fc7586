"""Whether the embedded model calls a guitar a guitar, and a piano a piano.

    python -m scripts.bench.identity WIDE/validation --output scripts/bench/identity.md
    python -m scripts.bench.identity WIDE/validation --weights RUN/best.safetensors
    python -m scripts.bench.identity WIDE/validation --seconds 180 --chunk-seconds 180

It says most on songs whose instruments training has never heard, such as those that
``python -m scripts.dataset --web`` holds out.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from msdm_cli.evaluation.metrics.metric import SeparatedSong
from msdm_cli.evaluation.metrics.si_sdr import SI_SDR, SiSdrRow
from msdm_cli.interface import Model
from scripts.bench.naming import PAIR, Naming, name_windows
from scripts.bench.report import OutputOption, Report
from scripts.bench.separation import WeightsOption, by_model, load_separator
from scripts.songs import list_songs, load_middle

WRONG = 0.8
"""Share of a guitar in the piano (of what the two have of it) from which it is called a piano."""


def add_names(report: Report, songs: Mapping[str, list[Naming]]) -> None:
    """Add SI-SDRi of guitar and piano by their names, and if names might be swapped.

    What windows gain beyond whole songs are names that change within a song.
    """
    windows = [window for song in songs.values() for window in song]
    report.write(
        f"{len(windows)} windows of 4 s in which guitar and piano both sound, mean SI-SDRi of the "
        "two:"
    )
    figures = {
        "as it is": [window.as_is for window in windows],
        "if each song might swap the two names": list(swap_songs(songs.values())),
        "if each window might swap the two names": [window.swapped for window in windows],
        "guitar and piano taken as one stem": [window.one_stem for window in windows],
    }
    rows = [(name, f"{np.mean(values):.2f}") for name, values in figures.items()]
    report.table(("", "dB"), rows)


def swap_songs(songs: Iterable[Sequence[Naming]]) -> Iterator[float]:
    """SI-SDRi of guitar and piano in each window, with the names swapped in whole songs, in dB."""
    for song in songs:
        crossed = [window.crossed for window in song]
        as_is = [window.as_is for window in song]
        yield from max(as_is, crossed, key=sum)


def add_shares(report: Report, songs: Mapping[str, list[Naming]], names: Sequence[str]) -> None:
    """Add which stems are found in which estimates, and how many songs have wrong names."""
    report.write(
        "Share of a true stem (row) that is found in each estimate (column), by least squares, in "
        "these windows:"
    )
    # Stems that are silent in a window do not count there.
    shares = np.nanmean([window.shares for song in songs.values() for window in song], axis=0)
    rows = [
        (name, *(f"{share:.2f}" for share in row)) for name, row in zip(names, shares, strict=True)
    ]
    report.table(("", *names), rows)
    means = [mean_shares(song, names) for song in songs.values() if song]
    for stem, other in ((0, 1), (1, 0)):
        wrong = sum(mean[stem, other] > WRONG * mean[stem].sum() for mean in means)
        report.write(
            f"Songs whose {PAIR[stem]} is called {PAIR[other]} by more than four fifths: "
            f"{wrong} of {len(means)}."
        )


def mean_shares(windows: Sequence[Naming], names: Sequence[str]) -> np.ndarray:
    """Shares of guitar and piano in guitar and piano, ``[2, 2]``: stem, estimate."""
    pair = [names.index(name) for name in PAIR]
    return np.asarray(np.mean([window.shares[pair][:, pair] for window in windows], 0))


def add_scores(report: Report, rows: Sequence[SiSdrRow], names: Sequence[str]) -> None:
    """Add SI-SDRi of all stems, and how much is heard of silent ones."""
    report.write(
        "SI-SDRi in dB in the windows in which a stem sounds, and the level of estimates where "
        "their stem is silent, in dB relative to the mixture (leak):"
    )
    summary = SI_SDR.summarise(rows, names)[0]
    figures = (*summary.stems.values(), summary.overall["active"], summary.overall["leak_db"])
    report.table((*names, "mean", "leak"), [[f"{figure:.2f}" for figure in figures]])


def add_songs(report: Report, songs: Mapping[str, list[Naming]], names: Sequence[str]) -> None:
    """Add a line for each song: SI-SDRi of guitar and piano, and where they are found."""
    places = [f"{stem} in {estimate}" for stem in PAIR for estimate in PAIR]
    report.begin_table("song", "as it is", "swapped", *places)
    for song, windows in songs.items():
        if windows:
            as_is = np.mean([window.as_is for window in windows])
            swapped = np.mean([window.swapped for window in windows])
            figures = (as_is, swapped, *mean_shares(windows, names).ravel())
            report.row(song, *(f"{figure:.2f}" for figure in figures))


def with_chunks(model: Model, seconds: float) -> Model:
    """The model with chunks of about another length."""
    spec = model.spec
    multiples = round(seconds * spec.sample_rate / spec.length_multiple)
    length = multiples * spec.length_multiple
    return dataclasses.replace(model, spec=dataclasses.replace(spec, chunk_length=length))


def main(  # noqa: PLR0913  the options of a command
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    weights: WeightsOption = None,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "fast",
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 24.0,
    chunk_seconds: Annotated[
        float | None, typer.Option(help="Length of a chunk, if not the model's.")
    ] = None,
    by_song: Annotated[bool, typer.Option("--by-song", help="A line for each song too.")] = False,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the tables."""
    model = load_separator(weights)
    if chunk_seconds:
        model = with_chunks(model, chunk_seconds)
    names = model.spec.stems
    rate = model.spec.sample_rate
    separate = by_model(model, model.spec.preset("separate", quality))
    rows: list[SiSdrRow] = []
    windows: dict[str, list[Naming]] = {}
    for folder in list_songs(songs)[:limit]:
        stems = load_middle(folder, seconds)
        estimate = separate(stems)
        rows += SI_SDR.score(SeparatedSong("", folder.name, names, estimate, stems, rate))
        windows[folder.name] = name_windows(estimate, stems, names, rate)
    report = Report(
        f"Names in {seconds:g} s of each of {len(windows)} songs, separated at `{quality}` in "
        f"chunks of {model.spec.chunk_length / rate:.1f} s, by `python -m scripts.bench.identity`."
    )
    add_names(report, windows)
    add_shares(report, windows, names)
    add_scores(report, rows, names)
    if by_song:
        add_songs(report, windows, names)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
