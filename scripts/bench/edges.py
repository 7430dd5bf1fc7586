"""How far from its own edges a network is wrong: what the context of a chunk must cover.

    python scripts/bench/edges.py DATA/validation --output scripts/bench/edges.md

Each song is separated by windows that begin in its middle, and by windows that begin half a window earlier. Where the
former has just begun, the latter is far from its edges: their difference is the error of an edge. It levels off where
the rest is due to what a window hears of the song (group norms and attention see all of it).
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from quality import list_songs, load_stems

from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.models.load import Model, load_model

BLOCK = 1024
BLOCKS = 32


def separate(model: Model, mixture: Samples) -> Samples:
    """Stems of a window in one call, ``[1, T] -> [1, S, T]``."""
    silence = np.zeros((1, len(model.spec.stems), mixture.shape[1]), np.float32)
    return model.denoiser(silence, np.full(silence.shape[:2], model.spec.sigma_max), mixture)


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the Slakh layout.")],
    *,
    limit: int = 6,
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
) -> None:
    """Print the table."""
    model = load_model("embedded", Runtime(device="cpu"))
    rate, length = model.spec.sample_rate, model.spec.chunk_length // 2
    reach = BLOCK * BLOCKS
    error, energy = np.zeros((2, BLOCKS)), np.zeros((2, BLOCKS))
    folders = list_songs(songs)
    for folder in folders[:limit]:
        mixture = load_stems(folder, model.spec.stems, 2 * length / rate).sum(0)[None, : 2 * length]
        middle = separate(model, mixture[:, length // 2 : length // 2 + length])
        first, second = (separate(model, part) for part in np.split(mixture, 2, 1))
        # Its end is where ``first`` is cut off, its beginning where ``second`` begins; ``middle`` spans both.
        ends = (
            (
                first[..., : -reach - 1 : -1],
                middle[..., length // 2 - reach : length // 2][..., ::-1],
            ),
            (second[..., :reach], middle[..., length // 2 : length // 2 + reach]),
        )
        for side, (edge, inside) in enumerate(ends):
            blocks = (*inside.shape[:2], BLOCKS, BLOCK)
            error[side] += np.square(edge - inside).reshape(blocks).sum((0, 1, 3))
            energy[side] += np.square(inside).reshape(blocks).sum((0, 1, 3))
    lines = [
        f"Error of an edge relative to the stems, {min(limit, len(folders))} songs, by `scripts/bench/edges.py`; the "
        f"context of the model is {model.spec.context} samples ({1000 * model.spec.context / rate:.0f} ms).",
        "",
        "| distance, ms | before an end, dB | after a beginning, dB |",
        "|---|---|---|",
    ]
    decibels = 10 * np.log10(error / energy)
    for block in range(0, BLOCKS, 2):
        distance = 1000 * block * BLOCK / rate
        lines.append(f"| {distance:.0f} | {decibels[0, block]:.1f} | {decibels[1, block]:.1f} |")
    print("\n".join(lines))
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
