"""What the embedded model does to recordings: levels of the stems, and what it makes of a guitar.

    python -m scripts.bench.recordings RECORDING ... --output scripts/bench/recordings.md

RECORDING is a sound file, or a folder with ``guitar.ogg`` (one guitar) and ``song.ogg`` (the rest).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer

from msdm_cli.audio.formats import SUBTYPES
from msdm_cli.audio.song_windows import SongWindows
from msdm_cli.audio.source import ArraySource
from msdm_cli.audio.stem_finish import SumFinish
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics.si_sdr import score_windows
from msdm_cli.evaluation.oracles import separate_by_mask
from msdm_cli.interface import Model, load_model
from scripts.bench.report import OutputOption, Report
from scripts.songs import SAMPLE_RATE_HZ

GUITAR = "guitar"
PARTS = (GUITAR, "song")
HEADROOM = 0.5
"""Gain of recordings, whose parts are at full scale each."""

UNITS = np.float32(1 << 15)
"""Of a 16-bit sample, from zero to full scale."""

HIGH_HZ = 10_500.0
"""Where the model's band ends, and the high band begins that stems share."""

SPREAD = (10, 90)
"""Percentiles of SI-SDRi over the windows of a song."""


@dataclass(frozen=True)
class Recording:
    """A recording, or the middle of one.

    Attributes:
        name: What the table calls it.
        sample_rate: In hertz.
        mixture: The song, ``[C, T]``.
        parts: The guitar, and the rest; empty if the guitar is not at hand.
    """

    name: str
    sample_rate: int
    mixture: Samples
    parts: tuple[Samples, ...]


def load_recording(path: Path, seconds: float | None) -> Recording:
    """Read a file or a folder of parts: the middle ``seconds``, or all of it."""
    paths = [path / f"{part}.ogg" for part in PARTS] if path.is_dir() else [path]
    infos = [soundfile.info(path) for path in paths]
    rate = infos[0].samplerate
    frames = min(info.frames for info in infos)
    count = frames if seconds is None else min(frames, round(seconds * rate))
    start = (frames - count) // 2
    parts = [
        HEADROOM * soundfile.read(path, count, start, dtype="float32", always_2d=True)[0].T
        for path in paths
    ]
    # As a file of 16 bits, so that stems of 16 bits can sum to it.
    whole = np.rint(np.sum(parts, 0) * UNITS).astype(np.float32) / UNITS
    return Recording(path.stem, rate, whole, tuple(parts) if path.is_dir() else ())


def to_model_rate(sound: Samples, rate: int) -> Samples:
    """A recording at the rate of the embedded model, ``[C, T] -> [C, T']``."""
    with ArraySource(sound, rate).open() as reader:
        windows = SongWindows(reader, SAMPLE_RATE_HZ)
        return windows.read(0, windows.total)


def separate(recording: Recording, model: Model, quality: str) -> tuple[dict[str, Samples], bool]:
    """Stems in 16 bits, ``[C, T]`` each, and whether they sum to the recording exactly."""
    finish = SumFinish(SUBTYPES["PCM_16"], 1.0)
    parts: dict[str, list[Samples]] = {name: [] for name in model.spec.stems}
    song = (recording.mixture, recording.sample_rate)
    for block in model.separate_blocks(*song, quality=quality):
        for name, samples in finish.apply(block.stems, block.mixture).items():
            parts[name].append(samples / np.float32(1 << 31))
    return {name: np.concatenate(part, 1) for name, part in parts.items()}, finish.exact


def score_guitar(recording: Recording, estimate: Samples) -> list[str]:
    """Figures of an estimated guitar; nothing without the truth.

    Returns:
        Mean SI-SDRi, its spread over windows, that of the ideal ratio mask, and how much too loud
        the guitar is above ``HIGH_HZ``.
    """
    if not recording.parts:
        return ["", "", "", ""]
    rate = recording.sample_rate
    stems = np.stack([to_model_rate(part, rate).mean(0) for part in recording.parts])
    guitar = to_model_rate(estimate, rate).mean(0)
    found = np.stack((guitar, stems.sum(0) - guitar))
    figures = []
    for estimates in (found, separate_by_mask(stems, binary=False)):
        scores = score_windows(estimates, stems, SAMPLE_RATE_HZ)
        figures.append(scores.improvement[:, 0][scores.active[:, 0]])
    low, high = np.percentile(figures[0], SPREAD)
    error = measure_high(estimate, rate) - measure_high(recording.parts[0], rate)
    return [
        f"{figures[0].mean():.2f}",
        f"{low:.1f} to {high:.1f}",
        f"{figures[1].mean():.2f}",
        f"{error:+.1f}",
    ]


def measure_high(sound: Samples, rate: int) -> float:
    """Level above ``HIGH_HZ`` in dB, ``[C, T]``; low, but finite, for silence."""
    spectrum = np.fft.rfft(sound.mean(0))
    high = np.fft.rfftfreq(sound.shape[1], 1 / rate) > HIGH_HZ
    power = np.square(np.abs(spectrum[high])).sum() / sound.shape[1] ** 2
    return float(10 * np.log10(power + 1e-20))


def list_cells(recording: Recording, model: Model, quality: str) -> list[str]:
    """A row of the table."""
    whole = recording.mixture
    stems, exact = separate(recording, model, quality)
    power = np.square(whole).mean()
    levels = [10 * np.log10(np.square(stem).mean() / power + 1e-12) for stem in stems.values()]
    peak = max(np.abs(stem).max() for stem in stems.values()) / np.abs(whole).max()
    return [
        f"{recording.name}, {recording.sample_rate / 1000:g} kHz, {len(whole)} ch",
        *(f"{level:.1f}" for level in levels),
        f"{peak:.2f}",
        "yes" if exact else "no",
        *score_guitar(recording, stems[GUITAR]),
    ]


def main(
    recordings: Annotated[
        list[Path], typer.Argument(help="Sound files, or folders with guitar.ogg and song.ogg.")
    ],
    *,
    seconds: Annotated[
        float | None, typer.Option(help="From the middle of each; all of it by default.")
    ] = None,
    quality: Annotated[str, typer.Option(help="fast, default or best.")] = "default",
    output: OutputOption = None,
) -> None:
    """Print the table."""
    model = load_model(device="cpu")
    report = Report(
        f"{'Whole' if seconds is None else f'The middle {seconds:g} s of'} recordings, separated "
        f"at `{quality}`, by `python -m scripts.bench.recordings`.",
        'Levels of stems are in dB relative to the song. "Largest peak" is that of any stem, '
        "relative to the peak of the song. SI-SDRi is in dB, for songs that come with one guitar "
        "recorded by itself; their other guitars count as the rest. It is that of the mean of the "
        "channels. Its spread is that of windows "
        f"of 4 s, from the {SPREAD[0]}th to the {SPREAD[1]}th percentile. The last column is how "
        f"much too loud that guitar is above {HIGH_HZ / 1000:g} kHz, in dB.",
    )
    columns = (
        "largest peak",
        "sum exact",
        "guitar, SI-SDRi",
        "spread",
        "ideal ratio mask",
        "highs",
    )
    report.begin_table("recording", *model.spec.stems, *columns)
    for path in recordings:
        report.row(*list_cells(load_recording(path, seconds), model, quality))
    report.save(output)


if __name__ == "__main__":
    typer.run(main)
