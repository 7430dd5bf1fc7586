"""Speed and memory of ``msdm separate`` on this machine, and of what it is made of.

    pip install --no-deps demucs julius einops tqdm audio_diffusion_pytorch==0.0.43 einops-exts
    python -m scripts.bench.speed tests/data/song.flac --output scripts/bench/RESULTS.md

The song is repeated to the lengths that are measured, as 44.1 kHz stereo in 16 bits. The packages
are those of peers, which are left out without them.
"""

import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from msdm_cli.backends.runtime import BACKENDS
from msdm_cli.diffusion.denoiser import Denoiser, Samples
from msdm_cli.interface import load_model
from scripts.bench.long_songs import write_repeated
from scripts.bench.network_speed import add_calls, add_operators
from scripts.bench.peers import time_demucs
from scripts.bench.process import run_watched
from scripts.bench.report import OutputOption, Report, describe_machine
from scripts.bench.separation import name_presets
from scripts.bench.timing import best_time


class TimedDenoiser:
    """A denoiser that adds up how long it took.

    Args:
        inner: The denoiser.
    """

    takes_mixture = True
    shares_sigma = False

    def __init__(self, inner: Denoiser) -> None:
        self.inner = inner
        self.seconds = 0.0

    def __call__(self, x: Samples, sigma: Samples, mixture: Samples | None = None) -> Samples:
        """Estimate the clean stems."""
        began = time.perf_counter()
        denoised = self.inner(x, sigma, mixture)
        self.seconds += time.perf_counter() - began
        return denoised


@dataclass(frozen=True)
class Separated:
    """What a run of the command took.

    Attributes:
        seconds: From start to end.
        calls: Network calls.
        peak_mb: Largest memory.
    """

    seconds: float
    calls: int
    peak_mb: float


def run_command(song: Path, quality: str, backend: str) -> Separated:
    """Separate a song in a process of its own."""
    command = [sys.executable, "-m", "msdm_cli", "separate", str(song)]
    command += ["-o", str(song.with_suffix("")), "--json", "--overwrite", "--seed", "0"]
    command += ["--quality", quality, "--device", "cpu", "--backend", backend]
    finished = run_watched(command)
    calls = json.loads(finished.stdout)[0]["calls"]
    return Separated(finished.seconds, calls, finished.peak_mb)


def measure_share(song: Path, quality: str) -> float:
    """Share of the time of a separation that the network takes."""
    model = load_model(device="cpu")
    timed = TimedDenoiser(model.denoisers[0])
    watched = dataclasses.replace(model, denoisers=(timed,))
    watched.separate(song, quality=quality)
    timed.seconds = 0.0
    began = time.perf_counter()
    watched.separate(song, quality=quality)
    return timed.seconds / (time.perf_counter() - began)


def add_published(report: Report, folder: Path) -> None:
    """Add the document of ``scripts.bench.published``, which needs a peer."""
    if find_spec("audio_diffusion_pytorch"):
        document = folder / "published.md"
        run_watched([sys.executable, "-m", "scripts.bench.published", "--output", str(document)])
        report.write(*document.read_text().splitlines())


def add_songs(report: Report, song: Path, folder: Path, seconds: float) -> None:
    """Add the table of a short song by quality and backend, and of the peer."""
    path = folder / "short.wav"
    write_repeated(song, path, seconds)
    columns = ("network calls", "x real time", "share of the network", "peak memory, MB")
    report.begin_table(f"{seconds:g} s of stereo", *columns)
    for names in name_presets(load_model(device="cpu")):
        quality = names.split(", ")[0]
        share = measure_share(path, quality)
        for backend in BACKENDS:
            ran = run_command(path, quality, backend)
            cells = (ran.calls, f"{seconds / ran.seconds:.2f}")
            shown = f"{share:.0%}" if backend == "torch" else ""
            report.row(f"{names}; {backend}", *cells, shown, f"{ran.peak_mb:.0f}")
    if demucs := time_demucs(path):
        report.row(f"{demucs.name}, random weights", "", f"{demucs.times_real_time:.2f}", "", "")


def add_start(report: Report, song: Path, folder: Path) -> None:
    """Add the table of what a command takes before and after its work."""
    path = folder / "tiny.wav"
    write_repeated(song, path, 0.1)
    report.begin_table("start to end", "seconds")
    for backend in BACKENDS:
        seconds = best_time(partial(run_command, path, "fast", backend))
        report.row(f"separate 0.1 s, {backend}", f"{seconds:.2f}")
    command = [sys.executable, "-m", "msdm_cli", "--help"]
    report.row("--help", f"{best_time(partial(run_watched, command)):.2f}")


def add_lengths(report: Report, song: Path, folder: Path, minutes: Sequence[float]) -> None:
    """Add the table of cost against the length of the song."""
    report.begin_table("length, fast, torch", "x real time", "peak memory, MB")
    for length in minutes:
        path = folder / "long.wav"
        write_repeated(song, path, 60 * length)
        ran = run_command(path, "fast", "torch")
        report.row(f"{length:g} min", f"{60 * length / ran.seconds:.2f}", f"{ran.peak_mb:.0f}")


def main(
    song: Annotated[Path, typer.Argument(help="Any song.")],
    *,
    short_seconds: Annotated[float, typer.Option(help="Length of the short song.")] = 60.0,
    memory_minutes: Annotated[str, typer.Option(help="Lengths whose cost is compared.")] = "3,30",
    output: OutputOption = None,
) -> None:
    """Print the tables."""
    report = Report(f"`python -m scripts.bench.speed` on {describe_machine()}, 44.1 kHz stereo.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        add_calls(report)
        add_operators(report)
        add_published(report, folder)
        add_songs(report, song, folder, short_seconds)
        add_start(report, song, folder)
        add_lengths(report, song, folder, [float(value) for value in memory_minutes.split(",")])
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
