"""What the embedded model does to a song, to look at: stems separated, imputed and generated.

    pip install librosa matplotlib
    python -m scripts.bench.spectrograms SONG --output scripts/bench/spectrograms.png

All panels have one range, from the loudest of the true stems down by 70 dB.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import librosa
import numpy as np
import typer
from matplotlib.figure import Figure

from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.interface import Model, load_model
from scripts.bench.prior import generate, impute
from scripts.bench.separation import by_model, with_preset
from scripts.songs import load_middle

RANGE_DB = 70.0
BANDS = 96
RATE_HZ = 22050
HOP = 512


def mel_db(x: Samples) -> Samples:
    """Mel spectrogram in dB, ``[T] -> [bands, frames]``."""
    power = librosa.feature.melspectrogram(y=x, sr=RATE_HZ, hop_length=HOP, n_mels=BANDS)
    return 10 * np.log10(power + 1e-9)


def list_columns(model: Model, stems: Samples, quality: str, seed: int) -> dict[str, Samples]:
    """Stems ``[S, T]`` by the title of their column."""
    for task in ("impute", "generate"):
        model = with_preset(model, task, model.spec.preset(task, quality))
    seconds = stems.shape[1] / model.spec.sample_rate
    imputed = [impute(model, stems, target) for target in range(len(stems))]
    return {
        "true": stems,
        "separated from the sum": by_model(model, model.spec.preset("separate", quality))(stems),
        "imputed from the other three": np.stack(imputed),
        "generated from nothing": generate(model, seed, seconds),
    }


def draw(columns: Mapping[str, Samples], stems: tuple[str, ...], seconds: float) -> Figure:
    """A row for each stem, a column for each task."""
    figure = Figure(figsize=(4 * len(columns), 2 * len(stems)), layout="constrained")
    panels = figure.subplots(len(stems), len(columns), sharex=True, sharey=True, squeeze=False)
    top = mel_db(columns["true"]).max()
    for column, (title, signals) in enumerate(columns.items()):
        panels[0, column].set_title(title)
        for row, signal in enumerate(signals):
            panels[row, column].imshow(
                mel_db(signal),
                origin="lower",
                aspect="auto",
                cmap="magma",
                vmin=top - RANGE_DB,
                vmax=top,
                extent=(0, seconds, 0, BANDS),
            )
    for row, name in enumerate(stems):
        panels[row, 0].set_ylabel(f"{name}, mel band")
    for panel in panels[-1]:
        panel.set_xlabel("seconds")
    return figure


def main(
    song: Annotated[Path, typer.Argument(help="A song in the layout of Slakh.")],
    output: Annotated[Path, typer.Option(help="Image.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of the song.")] = 11.8,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "default",
    seed: Annotated[int, typer.Option(help="Seed of the generation.")] = 0,
) -> None:
    """Draw the picture."""
    model = load_model(device="cpu")
    columns = list_columns(model, load_middle(song, seconds), quality, seed)
    draw(columns, model.spec.stems, seconds).savefig(output, dpi=60)


if __name__ == "__main__":
    typer.run(main)
