"""What of music is lost between a true sketch and its sound.

    pip install librosa scipy; pip install --no-deps musicnn==0.1.0
    python -m scripts.bench.attacks SONGS --output scripts/bench/attacks.md

Every other song is sketched, and the sketch becomes sound again in several ways. The distance of
these mixtures to the rest of the songs, beside that of the true ones, is what the sound costs
generated music, however good the prior over sketches is.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.interface import Model, load_model
from msdm_cli.representations.envelope import find_envelope
from msdm_cli.representations.sketch_agreement import agree
from msdm_cli.representations.sketch_codes import TOKEN_SAMPLES
from scripts.bench.gates import TOKENS, measure_error, resynthesise, sketch_whole
from scripts.bench.music_figures import frechet_distance
from scripts.bench.musicnn import Musicnn
from scripts.bench.report import OutputOption, Report
from scripts.bench.takes import embed_songs, spread_out
from scripts.songs import SAMPLE_RATE_HZ, STEMS, list_songs, load_middle

LENGTH = TOKENS * TOKEN_SAMPLES

Way = Callable[[Samples], Samples]
"""Makes stems of stems."""


def list_ways(model: Model) -> dict[str, Way]:
    """How stems go through their sketches, by name."""
    assert model.codes is not None
    codes = model.codes

    def keep(stems: Samples) -> Samples:
        return stems

    def move(stems: Samples) -> Samples:
        return agree(stems, codes.decode(codes.encode(sketch_whole(stems))))

    def remake(stems: Samples, model: Model = model) -> Samples:
        return resynthesise(model, codes.encode(sketch_whole(stems)))

    def cheat(stems: Samples) -> Samples:
        return remake(stems, tell_envelope(model, find_envelope(stems)))

    return {
        "true stems": keep,
        "true stems, moved to what codes keep of their sketches": move,
        "made of that, with the guessed envelope": remake,
        "made of that, with the true envelope": cheat,
    }


class Told:
    """A network that knows the envelope.

    Args:
        envelope: The envelope, ``[S, ENVELOPE_BANDS, T / STEP]``.
    """

    takes_mixture = False
    shares_sigma = False

    def __init__(self, envelope: Samples) -> None:
        self._envelope = envelope

    def __call__(
        self,
        x: Samples,
        sigma: Samples,
        mixture: Samples | None = None,
        told: Samples | None = None,
    ) -> Samples:
        """The envelope, in the shape of ``x``."""
        return self._envelope.reshape(x.shape)


def tell_envelope(model: Model, envelope: Samples) -> Model:
    """The same model, whose envelopes are not guessed."""
    last = model.spec.list_stages("generate")[-1]
    (opener,) = model.openers

    def open_stage(stage: int) -> Denoiser:
        return Told(envelope) if stage == last else opener(stage)

    return dataclasses.replace(model, openers=(open_stage,))


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the layout of Slakh.")],
    *,
    seconds: Annotated[float, typer.Option(help="Of the songs that are compared with.")] = 120.0,
    output: OutputOption = None,
) -> None:
    """Print the table."""
    found = list_songs(songs)
    excerpts = [load_middle(song, LENGTH / SAMPLE_RATE_HZ)[:, :LENGTH] for song in found[1::2]]
    network = Musicnn()
    truth = embed_songs(network, found[::2], seconds)
    ways = list_ways(load_model(device="cpu"))
    report = Report(
        f"12 s of each of {len(excerpts)} songs, sketched and made into sound again, by "
        "`python -m scripts.bench.attacks`.",
        "Error of the envelope (power in 15 bands every 6 ms) of each stem in dB, where it sounds. "
        f"musicnn-FD of the mixtures to {len(found[::2])} other songs, as many windows of each as "
        "of the mixtures: distances are too large, and comparable with each other alone.",
    )
    report.begin_table("stems", *STEMS, "musicnn-FD")
    for name, way in ways.items():
        errors, embeddings = [], []
        for stems in excerpts:
            made = way(stems)
            errors.append(measure_error(find_envelope(made), find_envelope(stems)))
            embeddings.append(network.embed(made.sum(0), SAMPLE_RATE_HZ))
        mixtures = np.concatenate(embeddings).astype(np.float64)
        distance = frechet_distance(mixtures, spread_out(truth, len(mixtures)))
        cells = [f"{value:.1f}" for value in np.nanmean(errors, 0)]
        report.row(name, *cells, f"{distance:.1f}")
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
