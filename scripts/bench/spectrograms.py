"""What the embedded model does to a held-out song, to look at: its stems separated, imputed, and others generated.

    pip install librosa matplotlib
    python scripts/bench/spectrograms.py DATA/validation/Track00014 --output scripts/bench/spectrograms.png

All panels have one range, from the loudest of the true stems down by 70 dB.
"""

from pathlib import Path
from typing import Annotated

import librosa
import numpy as np
import typer
from matplotlib.figure import Figure
from prior import HOP, RATE, Signal, generate, impute
from quality import by_model, load_stems

from msdm_cli.backends.runtime import Runtime
from msdm_cli.models.load import load_model

RANGE_DB = 70.0


def mel_db(x: Signal) -> Signal:
    """Mel spectrogram in dB, ``[T] -> [bands, frames]``."""
    power = librosa.feature.melspectrogram(y=x, sr=RATE, hop_length=HOP, n_mels=96)
    return 10 * np.log10(power + 1e-9)


def main(
    song: Annotated[Path, typer.Argument(help="A song in the Slakh layout.")],
    output: Annotated[Path, typer.Option(help="Image.")],
    *,
    seconds: float = 11.8,
    quality: str = "default",
    seed: int = 0,
) -> None:
    """Draw a row per stem, a column per task."""
    model = load_model("embedded", Runtime(device="cpu"))
    names, preset = (
        model.spec.stems,
        {task: model.spec.preset(task, quality) for task in model.spec.presets},
    )
    stems = load_stems(song, names, seconds)
    columns = {
        "true": stems,
        "separated from the sum": by_model(model, preset["separate"], seed)(stems),
        "imputed from the other three": np.stack(
            [impute(model, stems, target, preset["impute"]) for target in range(len(names))]
        ),
        "generated from nothing": generate(model, seed, seconds, preset["generate"]),
    }
    figure = Figure(figsize=(4 * len(columns), 2 * len(names)), layout="constrained")
    top = mel_db(stems).max()
    panels = figure.subplots(len(names), len(columns), sharex=True, sharey=True)
    for column, (title, signals) in enumerate(columns.items()):
        panels[0, column].set_title(title)
        for row, signal in enumerate(signals):
            panels[row, column].imshow(
                mel_db(signal), origin="lower", aspect="auto", cmap="magma", vmin=top - RANGE_DB, vmax=top,
                extent=(0, seconds, 0, 96),
            )  # fmt: skip
    for row, name in enumerate(names):
        panels[row, 0].set_ylabel(f"{name}, mel band")
    for panel in panels[-1]:
        panel.set_xlabel("seconds")
    figure.savefig(output, dpi=60)


if __name__ == "__main__":
    typer.run(main)
