"""Whether a sketch can be turned into sound, and whether its prior has learned what goes together.

    python -m scripts.bench.gates DATA/validation --output scripts/bench/gates.md
    python -m scripts.bench.gates DATA/validation --weights SKETCH/best.safetensors

Gate 1: the true sketches of songs become sound, which is sketched again. The error counts where a
stem sounds; that of the codes alone is what no sound can be better than. Gate 2: the loss of a stem
whose others are known, when they are its own song's and when they are another song's. With
``--weights``, gate 2 alone is measured: gate 1 does not use the prior.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from safetensors.torch import load_file

from msdm_cli.interface import Model, load_model
from msdm_cli.models.load import load_network
from msdm_cli.models.registry import EMBEDDED, find_entry
from msdm_cli.networks.sketch_prior import SketchPrior
from msdm_cli.progress import SilentProgress
from msdm_cli.representations.sketch import MARGIN, find_sketch
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES
from msdm_cli.tasks.generate import GenerateOptions
from msdm_cli.tasks.stream import Array
from msdm_cli.tasks.table import TASKS
from scripts.bench.report import OutputOption, Report
from scripts.songs import SAMPLE_RATE_HZ, STEMS, list_songs, load_middle
from scripts.train.sketch_corpus import SketchCorpus
from scripts.train.sketch_matching import GAP_SIGMA, SIGMAS, SketchValidation

SOUNDING = -6.0
"""Cells of a true sketch above this are heard: 60 dB below white noise of full scale."""

TOKENS = 128
SEED = 0


class KnownSketch:
    """A store that has the sketch of the only chunk, and nothing of its sound.

    Args:
        codes: Of the sketch, ``[S, tokens * K]``.
    """

    def __init__(self, codes: Array) -> None:
        self._codes = codes

    def load(self, index: int) -> Array | None:
        """The codes, under the number after that of the only chunk."""
        return self._codes if index == 1 else None

    def save(self, index: int, chunk: Array) -> None:
        """Keep nothing."""


def resynthesise(model: Model, codes: Array) -> NDArray[np.float32]:
    """The sound of a sketch, ``[S, tokens * K] -> [S, T]``. It is the same in every quality."""
    assert model.codes is not None
    seconds = codes.shape[1] // model.codes.numbers * TOKEN_SAMPLES / SAMPLE_RATE_HZ
    spec = model.spec
    presets = spec.preset("generate", "fast"), spec.sketch_preset("generate", "fast")
    options = GenerateOptions(presets[0], SEED, seconds, presets[1])
    stream = TASKS["generate"].run(model, {}, options, KnownSketch(codes), SilentProgress())
    blocks = list(stream)
    return np.concatenate(
        [np.concatenate([block.stems[name] for block in blocks], 1) for name in model.spec.stems]
    ).astype(np.float32)


def sketch_whole(stems: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sketch of stems between silence, ``[S, T] -> [S, bands, frames]``."""
    return find_sketch(np.pad(stems, ((0, 0), (MARGIN, MARGIN))))


def measure_error(found: NDArray[np.float32], true: NDArray[np.float32]) -> NDArray[np.float64]:
    """Root mean square in dB where a stem sounds, ``[S, bands, frames] x 2 -> [S]``, or NaN."""
    heard = true > SOUNDING
    count = heard.sum((1, 2)).astype(np.float64)
    total = (np.square(10 * (found - true)) * heard).sum((1, 2))
    with np.errstate(invalid="ignore"):
        error: NDArray[np.float64] = np.sqrt(total / count)
    return error


def add_resynthesis(report: Report, model: Model, songs: list[Path]) -> None:
    """Add the table of gate 1."""
    assert model.codes is not None
    errors, limits = [], []
    for folder in songs:
        stems = load_middle(folder, TOKENS * TOKEN_SAMPLES / SAMPLE_RATE_HZ)
        true = sketch_whole(stems[:, : TOKENS * TOKEN_SAMPLES])
        codes = model.codes.encode(true)
        limits.append(measure_error(model.codes.decode(codes), true))
        errors.append(measure_error(sketch_whole(resynthesise(model, codes)), true))
    report.begin_table("resynthesised", *STEMS)
    report.row("error, dB", *(f"{value:.2f}" for value in np.nanmean(errors, 0)))
    report.row("error of the codes alone, dB", *(f"{value:.2f}" for value in np.nanmean(limits, 0)))


def add_gap(report: Report, network: SketchPrior, songs: Path) -> None:
    """Add the tables of gate 2."""
    figures = SketchValidation(SketchCorpus(songs, STEMS), TOKENS).score(network)
    report.begin_table(f"a stem at sigma {GAP_SIGMA:g}, the others known", *STEMS)
    report.row("loss, their own", *(f"{figures[f'own_{stem}']:.3f}" for stem in STEMS))
    report.row(
        "more if they are another song's, %", *(f"{figures[f'gap_{stem}']:.0f}" for stem in STEMS)
    )
    report.begin_table("all stems at sigma", *(f"{sigma:g}" for sigma in SIGMAS))
    report.row("loss", *(f"{figures[f'loss_{sigma:g}']:.3f}" for sigma in SIGMAS))


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    weights: Annotated[
        Path | None, typer.Option(help="Weights of the prior, if not those that ship: gate 2.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many songs in gate 1.")] = None,
    output: OutputOption = None,
) -> None:
    """Print the tables."""
    model = load_model(device="cpu")
    report = Report(
        f"{'Gate 2' if weights else 'Gates'} of the cascade on held-out songs of 12 s, by "
        "`python -m scripts.bench.gates`.",
        "Losses are relative to the Wiener filter of the components: 1 has learned nothing.",
    )
    if not weights:
        add_resynthesis(report, model, list_songs(songs)[:limit])
    entry = find_entry(EMBEDDED)
    index = model.spec.list_stages("generate")[0]
    network = load_network(entry, model.spec, index)
    assert isinstance(network, SketchPrior)
    if weights:
        network.load_state_dict(load_file(weights))
    add_gap(report, network, songs)
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
