"""SI-SDRi of the embedded model on held-out songs, beside what needs no model and what knows the answer.

    python scripts/bench/quality.py DATA/validation --output scripts/bench/quality.md

Every song is separated by the pipeline of the command, from a file to files.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import torch
import typer

from msdm_cli.backends.runtime import Runtime
from msdm_cli.backends.torch_backend import TorchDenoiser
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics import score_windows
from msdm_cli.evaluation.oracles import separate_by_mask
from msdm_cli.evaluation.scores import list_scores, summarise
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.models.load import Model, load_model
from msdm_cli.models.spec import QUALITIES, Preset
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.sampling import calls_per_chunk
from msdm_cli.tasks.separate import SeparateOptions, separate_song

LEGEND = (
    'Calls are those of a chunk of 12 s. The columns of stems, and their mean "active", count the windows of 4 s '
    'in which a stem sounds; "official" counts all stems, as the paper does. "Leak" is how loud the estimate of a '
    "stem is where it is silent, in dB relative to the mixture."
)

Separator = Callable[[Samples], Samples]


@dataclass(frozen=True)
class Method:
    """A way to separate: stems ``[S, T]`` in (for their sum, and for the oracles), estimates ``[S, T]`` out."""

    name: str
    calls: int
    separate: Separator


def by_model(model: Model, preset: Preset, seed: int) -> Separator:
    """Separation by the pipeline of the command."""

    def separate(stems: Samples) -> Samples:
        with tempfile.TemporaryDirectory() as folder:
            song, rate = Path(folder) / "song.wav", model.spec.sample_rate
            soundfile.write(song, stems.sum(0), rate, "FLOAT")
            options = SeparateOptions(preset, seed, output=OutputOptions(subtype="FLOAT"))
            done = separate_song(model, song, Path(folder), options, SilentProgress())
            files = [
                soundfile.read(done.files[name], dtype="float32")[0] for name in model.spec.stems
            ]
        return np.stack(files)

    return separate


def by_static_wiener(model: Model) -> Separator:
    """The same network before training: shares by the mean spectra of the training songs."""
    assert isinstance(model.denoiser, TorchDenoiser)
    network = model.denoiser.network

    def separate(stems: Samples) -> Samples:
        mixture = np.pad(stems.sum(0), (0, -stems.shape[1] % network.stft.hop))
        parts = network.stft(torch.from_numpy(mixture)[None])
        sigma = torch.full((1, len(stems)), model.spec.sigma_max)
        gaussian = network.posterior(
            torch.zeros(1, len(stems), *parts.shape[1:]), sigma, parts, torch.ones(1)
        )
        return network.stft.inverse(gaussian)[0, :, : stems.shape[1]].numpy()

    return separate


def distinct_presets(model: Model) -> dict[Preset, list[str]]:
    """Settings of separation, and the qualities that have them."""
    presets: dict[Preset, list[str]] = {}
    for quality in QUALITIES:
        presets.setdefault(model.spec.preset("separate", quality), []).append(quality)
    return presets


def load_stems(song: Path, names: tuple[str, ...], seconds: float) -> Samples:
    """The middle ``seconds`` of a song's stems, ``[S, T]``."""
    stems = []
    for name in names:
        info = soundfile.info(song / f"{name}.flac")
        count = min(info.frames, round(seconds * info.samplerate))
        stems.append(
            soundfile.read(
                song / f"{name}.flac", count, (info.frames - count) // 2, dtype="float32"
            )[0]
        )
    return np.stack(stems)


def score(method: Method, excerpts: list[Samples], model: Model) -> str:
    """A line of the table: means over windows, per stem and over stems."""
    names, rows = model.spec.stems, []
    for song, stems in enumerate(excerpts):
        found = score_windows(method.separate(stems), stems, model.spec.sample_rate)
        rows += list_scores(method.name, str(song), names, found)
    (summary,) = summarise(rows, names)
    cells = [
        *summary.stems.values(),
        summary.active,
        summary.official,
        float("nan") if summary.leak_db is None else summary.leak_db,
    ]
    return (
        f"| {method.name} | {method.calls} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |"
    )


def list_songs(folder: Path) -> list[Path]:
    """Songs in the Slakh layout that are complete."""
    return sorted(
        path
        for path in folder.iterdir()
        if (path / "bass.flac").exists() and path.suffix != ".part"
    )


def tell_scores(methods: list[Method], excerpts: list[Samples], model: Model) -> list[str]:
    """The table of some methods, printed line by line."""
    head = [*model.spec.stems, "mean, active", "mean, official", "leak"]
    lines = ["| method | calls | " + " | ".join(head) + " |", "|---" * (len(head) + 2) + "|"]
    print("\n".join(lines), flush=True)
    for method in methods:
        lines.append(score(method, excerpts, model))
        print(lines[-1], flush=True)
    return lines


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the Slakh layout.")],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each song.")] = 24.0,
    limit: Annotated[int | None, typer.Option(help="Only so many songs.")] = None,
    only: Annotated[str | None, typer.Option(help="Only methods whose name contains this.")] = None,
    also: Annotated[list[str] | None, typer.Option(help="A further preset, as JSON.")] = None,
    seed: int = 0,
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
) -> None:
    """Print the table."""
    model = load_model("embedded", Runtime(device="cpu"))
    presets = {", ".join(names): preset for preset, names in distinct_presets(model).items()}
    presets |= {text: Preset(**json.loads(text)) for text in also or ()}
    methods = [
        Method("mixture", 0, lambda stems: np.broadcast_to(stems.sum(0), stems.shape)),
        Method("static Wiener filter", 0, by_static_wiener(model)),
        *(
            Method(name, calls_per_chunk(preset), by_model(model, preset, seed))
            for name, preset in presets.items()
        ),
        Method("ideal binary mask", 0, lambda stems: separate_by_mask(stems, binary=True)),
        Method("ideal ratio mask", 0, lambda stems: separate_by_mask(stems, binary=False)),
    ]
    excerpts = [
        load_stems(folder, model.spec.stems, seconds) for folder in list_songs(songs)[:limit]
    ]
    lines = [
        f"SI-SDRi in dB on {seconds:g} s of each of {len(excerpts)} held-out songs, by `scripts/bench/quality.py`.",
        LEGEND,
        "",
    ]
    print("\n".join(lines), flush=True)
    lines += tell_scores(
        [method for method in methods if not only or only in method.name], excerpts, model
    )
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
