"""What the prior does where no mixture is given: does an imputed stem follow the given ones, does music have a pulse?

    pip install librosa scipy
    python scripts/bench/prior.py DATA/validation --output scripts/bench/prior.md

Imputation: of each song, each stem is imputed from the other three. Agreement with what was given is the correlation
of onset strengths, and the cosine of chroma vectors; a stem that follows agrees better with its own song than with the
others (Wilcoxon signed-rank test over songs). Distances are Frechet distances between Gaussians fitted to the frames
of log-mel spectra, in dB^2; they are not FAD, which takes the features of a trained network.
"""

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import librosa
import numpy as np
import scipy.linalg
import scipy.stats
import soundfile
import typer
from numpy.typing import NDArray
from quality import list_songs, load_stems

from msdm_cli.backends.runtime import Runtime
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.models.load import Model, load_model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.generate import GenerateOptions, generate_song
from msdm_cli.tasks.impute import ImputeOptions, impute_stems

Signal = NDArray[np.float32]
RATE, HOP, MELS = 22050, 512, 64
SILENT_DB = -50.0
BEAT_SECONDS = (0.25, 1.5)


def onsets(x: Signal) -> NDArray[np.float64]:
    """Onset strength over time."""
    return librosa.onset.onset_strength(y=x, sr=RATE, hop_length=HOP)


def onset_agreement(x: Signal, y: Signal) -> float:
    """Correlation of onset strengths, 0 if one never changes."""
    a, b = onsets(x), onsets(y)
    return float(np.corrcoef(a, b)[0, 1]) if min(a.std(), b.std()) > 0 else 0.0


def chroma_agreement(x: Signal, y: Signal) -> float:
    """Mean cosine of chroma vectors."""
    a, b = (librosa.feature.chroma_stft(y=z, sr=RATE, hop_length=HOP, norm=2) for z in (x, y))
    return float((a * b).sum(0).mean())


def log_mel(signals: list[Signal]) -> NDArray[np.float64]:
    """Frames of log-mel spectra in dB, ``[frames, MELS]``."""
    spectra = [
        librosa.feature.melspectrogram(y=x, sr=RATE, hop_length=HOP, n_mels=MELS) for x in signals
    ]
    return 10 * np.log10(np.concatenate(spectra, 1).T + 1e-6)


def frechet_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Frechet distance of the Gaussians fitted to two sets of frames."""
    (mean_x, cov_x), (mean_y, cov_y) = ((z.mean(0), np.cov(z.T)) for z in (x, y))
    root = scipy.linalg.sqrtm(cov_x @ cov_y).real
    distance = np.square(mean_x - mean_y).sum() + np.trace(cov_x + cov_y - 2 * root)
    return float(np.maximum(0.0, distance))  # but for rounding; NaN stays NaN


def level_db(x: Signal) -> float:
    """Root mean square in dB of full scale."""
    return float(10 * np.log10(np.square(x, dtype=np.float64).mean() + 1e-12))


def silent_share(x: Signal) -> float:
    """Share of frames below -50 dB of full scale."""
    frames = librosa.util.frame(x, frame_length=2048, hop_length=2048)
    return float((10 * np.log10(np.square(frames).mean(0) + 1e-12) < SILENT_DB).mean())


def pulse(x: Signal) -> float:
    """Highest autocorrelation of onset strength at the lags of a beat; 0 without any, 1 for a metronome."""
    strength = onsets(x) - onsets(x).mean()
    correlation = librosa.autocorrelate(strength)
    low, high = (round(seconds * RATE / HOP) for seconds in BEAT_SECONDS)
    return float(correlation[low:high].max() / (correlation[0] + 1e-9))


def impute(model: Model, stems: Signal, target: int, preset: Preset) -> Signal:
    """Impute one stem from the others by the pipeline of the command."""
    names = model.spec.stems
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = {
            stem: folder / f"{stem}.wav" for index, stem in enumerate(names) if index != target
        }
        for stem, path in given.items():
            soundfile.write(path, stems[names.index(stem)], RATE, "FLOAT")
        options = ImputeOptions(preset, 0, (names[target],), OutputOptions(subtype="FLOAT"))
        done = impute_stems(model, given, folder / "out", options, SilentProgress())
        return soundfile.read(done.files[names[target]], dtype="float32")[0]


def generate(model: Model, seed: int, seconds: float, preset: Preset) -> Signal:
    """Generate stems by the pipeline of the command, ``[S, T]``."""
    with tempfile.TemporaryDirectory() as name:
        options = GenerateOptions(preset, seed, seconds, OutputOptions(subtype="FLOAT"))
        done = generate_song(model, Path(name), options, SilentProgress())
        return np.stack(
            [soundfile.read(done.files[stem], dtype="float32")[0] for stem in model.spec.stems]
        )


def agreement(
    measure: Callable[[Signal, Signal], float], signals: list[Signal], given: list[Signal]
) -> str:
    """Agreement with the own song, with the others, and the probability that they differ by chance."""
    table = np.array([[measure(x, y) for y in given] for x in signals])
    others = (table.sum(1) - table.diagonal()) / (len(table) - 1)
    chance = scipy.stats.wilcoxon(table.diagonal(), others, alternative="greater").pvalue
    return f"{table.diagonal().mean():.3f} / {others.mean():.3f} ({chance:.1g})"


def describe(signals: list[Signal], truth: list[Signal]) -> str:
    """Level, silence, pulse, and distance from the truth."""
    figures = [
        np.mean([measure(x) for x in signals]) for measure in (level_db, silent_share, pulse)
    ]
    distance = frechet_distance(log_mel(signals), log_mel(truth))
    return f"{figures[0]:.1f} | {figures[1]:.2f} | {figures[2]:.2f} | {distance:.0f}"


def main(
    songs: Annotated[Path, typer.Argument(help="Songs in the Slakh layout.")],
    *,
    seconds: float = 11.8,
    limit: Annotated[
        int | None, typer.Option(help="Only so many songs, and as many generations.")
    ] = None,
    quality: str = "default",
    settings: Annotated[
        str, typer.Option(help="Of the presets, other than in the spec: JSON.")
    ] = "{}",
    output: Annotated[Path | None, typer.Option(help="Write the tables there too.")] = None,
) -> None:
    """Print the tables."""
    model = load_model("embedded", Runtime(device="cpu"))
    names = model.spec.stems
    presets = {
        task: dataclasses.replace(model.spec.preset(task, quality), **json.loads(settings))
        for task in ("impute", "generate")
    }
    truth = [load_stems(folder, names, seconds) for folder in list_songs(songs)[:limit]]
    lines = [
        f"`scripts/bench/prior.py`, {len(truth)} songs of {seconds:g} s, quality {quality}, settings {settings}.",
        "",
        "Imputed from the other three stems; agreement with the own song / with other songs (p):",
        "",
        "| stem | onsets | onsets of the true stem | chroma | chroma of the true stem | level, dB | silence | pulse "
        "| distance |",
        "|---" * 9 + "|",
    ]
    print("\n".join(lines), flush=True)
    for target, name in enumerate(names):
        imputed = [impute(model, stems, target, presets["impute"]) for stems in truth]
        real = [stems[target] for stems in truth]
        given = [stems.sum(0) - stems[target] for stems in truth]
        cells = [agreement(onset_agreement, signals, given) for signals in (imputed, real)]
        cells += [agreement(chroma_agreement, signals, given) for signals in (imputed, real)]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {describe(imputed, real)} |")
        print(lines[-1], flush=True)
    lines += ["", "| generated | level, dB | silence | pulse | distance |", "|---" * 5 + "|"]
    generated = [generate(model, seed, seconds, presets["generate"]) for seed in range(len(truth))]
    for index, name in enumerate(names):
        real = [stems[index] for stems in truth]
        lines.append(f"| {name} | {describe([stems[index] for stems in generated], real)} |")
        lines.append(f"| {name}, true | {describe(real, real)} |")
    print("\n".join(lines), flush=True)
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
