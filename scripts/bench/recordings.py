"""What the embedded model does to recordings, of which no rendered song tells: levels, sums, one guitar where known.

    python scripts/bench/recordings.py RECORDING... --output scripts/bench/recordings.md

A recording is a sound file, or a folder with ``guitar.ogg`` and the rest of the song in ``song.ogg``, as songs for
Frets on Fire have it (Debian's ``fretsonfire-songs-muldjord`` and ``fretsonfire-songs-sectoid``: metal, CC BY-SA).
Other guitars are part of that rest: what a model finds of them counts as an error there.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer

from msdm_cli.audio.files import SongReader
from msdm_cli.audio.windows import SongWindows
from msdm_cli.backends.runtime import Runtime
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.evaluation.metrics import score_windows
from msdm_cli.evaluation.oracles import separate_by_mask
from msdm_cli.models.load import Model, load_model
from msdm_cli.progress import SilentProgress
from msdm_cli.tasks.separate import SeparateOptions, separate_song

PARTS = ("guitar", "song")
HEADROOM = 0.5  # parts that were mixed at full scale each
UNITS = 1 << 15  # of a 16-bit sample, from zero to full scale


def write_parts(recording: Path, seconds: float, folder: Path) -> list[Path]:
    """Write the middle of a recording's parts, and of their sum last, as 16-bit files of one length."""
    paths = [recording / f"{part}.ogg" for part in PARTS] if recording.is_dir() else [recording]
    infos = [soundfile.info(path) for path in paths]
    rate, frames = infos[0].samplerate, min(info.frames for info in infos)
    count = min(frames, round(seconds * rate))
    parts = [
        soundfile.read(path, count, (frames - count) // 2, always_2d=True)[0] for path in paths
    ]
    written = []
    for name, part in {**dict(zip(PARTS, parts, strict=False)), "mixture": sum(parts)}.items():
        written.append(folder / f"{name}.wav")
        soundfile.write(written[-1], HEADROOM * part, rate, "PCM_16")
    return written if recording.is_dir() else written[-1:]


def load_mono(path: Path, rate: int) -> Samples:
    """A file at another rate, all channels as one, ``[T]``."""
    with SongReader(path) as reader:
        windows = SongWindows(reader, rate)
        return windows.read(0, windows.total).mean(0)


def tell(recording: Path, model: Model, seconds: float, quality: str) -> str:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as temporary:
        *parts, song = write_parts(recording, seconds, Path(temporary))
        options = SeparateOptions(model.spec.preset("separate", quality), 0)
        done = separate_song(model, song, Path(temporary) / "stems", options, SilentProgress())
        sound = {name: soundfile.read(path, always_2d=True)[0] for name, path in done.files.items()}
        whole, rate = soundfile.read(song, always_2d=True)
        exact = np.array_equal(
            sum(np.rint(UNITS * stem) for stem in sound.values()), np.rint(UNITS * whole)
        )
        found = ["", ""]
        if parts:
            guitar, rest = (load_mono(part, model.spec.sample_rate) for part in parts)
            stems, estimate = (
                np.stack((guitar, rest)),
                load_mono(done.files["guitar"], model.spec.sample_rate),
            )
            tries = (
                np.stack((estimate, stems.sum(0) - estimate)),
                separate_by_mask(stems, binary=False),
            )
            scores = [score_windows(tried, stems, model.spec.sample_rate) for tried in tries]
            found = [
                f"{score.improvement[:, 0][score.active[:, 0]].mean():.2f}" for score in scores
            ]
    power = np.square(whole).mean()
    levels = [10 * np.log10(np.square(stem).mean() / power + 1e-12) for stem in sound.values()]
    peak = max(np.abs(stem).max() for stem in sound.values()) / np.abs(whole).max()
    about = f"{recording.stem}, {rate / 1000:g} kHz, {whole.shape[1]} ch"
    cells = [*(f"{level:.1f}" for level in levels), f"{peak:.2f}", "yes" if exact else "no", *found]
    return f"| {about} | " + " | ".join(cells) + " |"


def main(
    recordings: Annotated[
        list[Path], typer.Argument(help="Sound files, or folders with guitar.ogg and song.ogg.")
    ],
    *,
    seconds: Annotated[float, typer.Option(help="From the middle of each.")] = 30.0,
    quality: str = "default",
    output: Annotated[Path | None, typer.Option(help="Write the table there too.")] = None,
) -> None:
    """Print the table."""
    model = load_model("embedded", Runtime(device="cpu"))
    head = [
        *model.spec.stems,
        "largest peak",
        "sum exact",
        "guitar, SI-SDRi",
        "its ideal ratio mask",
    ]
    lines = [
        f"The middle {seconds:g} s of recordings, separated at `{quality}`, by `scripts/bench/recordings.py`.",
        "Levels of stems are in dB relative to the song; the largest peak of any stem is relative to that of the song. "
        "SI-SDRi, in dB, where the recording of one guitar is at hand; other guitars of the song count as the rest.",
        "",
        "| recording | " + " | ".join(head) + " |",
        "|---" * (len(head) + 1) + "|",
    ]
    print("\n".join(lines), flush=True)
    for recording in recordings:
        lines.append(tell(recording, model, seconds, quality))
        print(lines[-1], flush=True)
    if output:
        output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
