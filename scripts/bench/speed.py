"""Speed and memory of ``msdm separate`` on this machine.

    python scripts/bench/speed.py tests/data/song.flac --output scripts/bench/speed.md

The song is repeated to the lengths that are measured, as 44.1 kHz stereo in 16 bits.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import resampy
import soundfile
import torch
import typer
from quality import distinct_presets
from torch import Tensor

from msdm_cli.models.load import Model, load_model
from msdm_cli.pipelines.separate import SeparateOptions, separate_song
from msdm_cli.progress import SilentProgress

RATE = 44100
WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, end="")
"""


class TimedDenoiser:
    """A denoiser that adds up how long it took."""

    takes_mixture, shares_sigma = True, False

    def __init__(self, model: Model) -> None:
        self.inner, self.seconds = model.denoiser, 0.0

    def __call__(self, x: Tensor, sigma: Tensor, mixture: Tensor | None = None) -> Tensor:
        """Estimate the clean stems."""
        began = time.perf_counter()
        denoised = self.inner(x, sigma, mixture)
        self.seconds += time.perf_counter() - began
        return denoised


def write_song(source: Path, path: Path, seconds: float) -> None:
    """Repeat a song to a length, in blocks."""
    samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    once = resampy.resample(samples.T, rate, RATE).T
    with soundfile.SoundFile(path, "w", RATE, once.shape[1], "PCM_16") as file:
        left = round(seconds * RATE)
        while left:
            file.write(once[:left])
            left -= min(left, len(once))


def run(song: Path, folder: Path, quality: str) -> tuple[float, int, float]:
    """Separate in a process of its own: seconds per run, network calls, peak memory in MB."""
    command = [sys.executable, "-m", "msdm_cli", "separate", str(song), "-o", str(folder), "--json", "--overwrite"]
    command += ["--quality", quality, "--seed", "0", "--device", "cpu"]
    began = time.perf_counter()
    # A small process in between: Linux counts the memory of the one that starts a process as its own.
    told = subprocess.run([sys.executable, "-c", WATCH, *command], stdout=subprocess.PIPE, check=True, text=True).stdout
    seconds = time.perf_counter() - began
    summary, peak = told.rsplit("\n", 1)
    return seconds, json.loads(summary)[0]["calls"], int(peak) / 1024


def network_share(song: Path, folder: Path, quality: str) -> float:
    """Share of the run time that the network takes."""
    model = load_model("embedded", "cpu")
    timed = TimedDenoiser(model)
    options = SeparateOptions(model.spec.preset("separate", quality), 0)
    separate_song(Model(model.spec, timed, model.device), song, folder / "warm", options, SilentProgress())
    timed.seconds, began = 0.0, time.perf_counter()
    separate_song(Model(model.spec, timed, model.device), song, folder / "timed", options, SilentProgress())
    return timed.seconds / (time.perf_counter() - began)


def main(
    song: Annotated[Path, typer.Argument(help="Any song.")],
    *,
    short_seconds: float = 60.0,
    memory_minutes: Annotated[str, typer.Option(help="Lengths whose peak memory is compared.")] = "3,30",
    output: Annotated[Path | None, typer.Option(help="Write the tables there too.")] = None,
) -> None:
    """Print the tables."""
    lines = [
        f"`scripts/bench/speed.py` on {platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"torch {torch.__version__}, 44.1 kHz stereo.",
        "",
        f"| quality, {short_seconds:g} s | network calls | x real time | share of the network | peak memory, MB |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "short.wav"
        write_song(song, path, short_seconds)
        for names in distinct_presets(load_model("embedded", "cpu")).values():
            quality = names[0]
            seconds, calls, peak = run(path, folder, quality)
            share = network_share(path, folder / quality, quality)
            lines.append(f"| {', '.join(names)} | {calls} | {short_seconds / seconds:.2f} | {share:.0%} | {peak:.0f} |")
            print(lines[-1], flush=True)
        lines += ["", "| length, fast | x real time | peak memory, MB |", "|---|---|---|"]
        for minutes in memory_minutes.split(","):
            path = folder / "long.wav"
            write_song(song, path, 60 * float(minutes))
            seconds, _, peak = run(path, folder, "fast")
            lines.append(f"| {minutes} min | {60 * float(minutes) / seconds:.2f} | {peak:.0f} |")
            print(lines[-1], flush=True)
    began = time.perf_counter()
    for _ in range(5):
        subprocess.run([sys.executable, "-m", "msdm_cli", "--help"], check=True, stdout=subprocess.DEVNULL)
    lines += ["", f"`msdm --help`: {(time.perf_counter() - began) / 5:.2f} s"]
    print("\n".join(lines))
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
