"""Commands whose results are compared, and the songs that they work on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

PITCHES_HZ = {"bass": (41.2, 55.0, 61.7), "piano": (261.6, 329.6, 392.0), "guitar": (196.0, 246.9)}


BASELINE = "4124ded"
"""The last commit before the rooms were rebuilt."""

OUTPUT_8 = "OUTPUT 8 in msdm_cli/jobs/identity.py: other stems get what the model leaves of a song"
SKETCHES = "another model, which draws a sketch first"

REASONS = {
    "separate": OUTPUT_8,
    "separate, paper": OUTPUT_8,
    "impute": SKETCHES,
    "generate": SKETCHES,
}
"""Why a kind of case gives other samples than at ``BASELINE``: what was changed on purpose since.

The paper's network imputes and generates the same samples as ever.
"""


@dataclass(frozen=True)
class Case:
    """One command whose results are compared.

    Attributes:
        name: What the table calls it.
        command: Arguments of ``msdm``; ``{song}`` is the path of that song.
        precision: What the network computes in; auto is what a user gets.
        killed: Kill it after its first finished chunk, and run it again.
    """

    name: str
    command: str
    precision: str = "fp32"
    killed: bool = False

    @property
    def task(self) -> str:
        """Name of the command."""
        return self.command.split()[0]

    @property
    def kind(self) -> str:
        """What it has in common with other cases: the command, and whose model it uses."""
        return f"{self.task}, paper" if "--model" in self.command else self.task

    @property
    def folder(self) -> str:
        """Name of the folder for its results."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name)

    def arguments(self, songs: Mapping[str, Path], output: Path) -> list[str]:
        """The command's words, with the paths of songs and of the output."""
        places = {name: str(path) for name, path in songs.items()}
        words = [word.format_map(places) for word in self.command.split()]
        words += ["--precision", self.precision, "--seed", "1"]
        return [*words, "-o", str(output), "--quiet"]


CASES = (
    Case("separate, fast", "separate {stereo} --quality fast"),
    Case("separate, default", "separate {stereo}"),
    Case("separate, best", "separate {song} --quality best"),
    Case("separate, default precision", "separate {stereo}", precision="auto"),
    Case("separate, --steps 2", "separate {song} --steps 2"),
    Case("separate, ONNX", "separate {song} --backend onnx"),
    Case("separate, mono 24 bit to flac", "separate {mono24} --format flac"),
    Case("separate, 16 bit to 24", "separate {song} --quality fast --subtype PCM_24"),
    Case("separate, float", "separate {song} --quality fast --subtype FLOAT"),
    Case("separate, ogg", "separate {song} --quality fast --format ogg"),
    Case("separate, --residual", "separate {stereo} --quality fast --residual"),
    Case("separate, a part", "separate {stereo} --quality fast --start 3.21 --duration 14.5"),
    Case(
        "separate, two stems, --overlap, --name",
        "separate {song} --quality fast --stems drums --stems bass --overlap 0.1 "
        "--name {{stem}}-{{track}}.{{ext}}",
    ),
    Case("separate, two songs, --jobs 2", "separate {song} {mono24} --quality fast --jobs 2"),
    Case(
        "impute two of four",
        "impute --given {bass} --given {drums} --target guitar --target piano --quality fast",
    ),
    Case(
        "impute one of three, default precision",
        "impute --given drums={drums} --given bass={bass} --target piano --quality fast",
        precision="auto",
    ),
    Case("generate 20 s", "generate --seconds 20 --quality fast"),
    Case(
        "generate 20 s, default precision",
        "generate --seconds 20 --quality fast",
        precision="auto",
    ),
    Case("paper, dirac", "separate {song} --model paper --sampler dirac --steps 3"),
    Case("paper, gaussian", "separate {song} --model paper --sampler gaussian --steps 3"),
    Case(
        "paper, dirac, a network per stem",
        "separate {mono24} --model per-stem --sampler dirac --steps 3",
    ),
    Case("paper, our sampler", "separate {mono24} --model paper --quality fast"),
    Case(
        "paper, impute",
        "impute --given {bass} --given {drums} --target piano --target guitar "
        "--model paper --sampler published --steps 3",
    ),
    Case(
        "paper, generate",
        "generate --seconds 20 --model paper --sampler published --steps 3",
    ),
    Case("resume, separate", "separate {stereo}", killed=True),
    Case("resume, generate", "generate --seconds 20 --quality fast", killed=True),
)


def write_songs(folder: Path, song: Path) -> dict[str, Path]:
    """The songs of the cases by name; ``song`` is the real one among them."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {"song": song}
    for name, (seconds, rate, channels, subtype) in {
        "stereo": (30.0, 44100, 2, "PCM_16"),
        "mono24": (14.0, 22050, 1, "PCM_24"),
        "tiny": (0.1, 44100, 2, "PCM_16"),
    }.items():
        samples = synthesise(round(seconds * rate), rate, channels)
        written[name] = folder / f"{name}.wav"
        soundfile.write(written[name], samples.T, rate, subtype)
    for seed, name in enumerate(("bass", "drums")):
        samples = synthesise(round(14.0 * 22050), 22050, 1, seed=10 + seed, parts=(name,))
        written[name] = folder / f"{name}.wav"
        soundfile.write(written[name], samples.T, 22050, "PCM_16")
    return written


def synthesise(
    frames: int,
    rate: int,
    channels: int,
    *,
    seed: int = 0,
    parts: tuple[str, ...] = ("bass", "drums", "piano", "guitar"),
) -> NDArray[np.float64]:
    """Plucked notes and hits, ``[C, T]``, below full scale; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / rate
    sound = np.zeros((channels, frames))
    for part in parts:
        pan = rng.uniform(0.5, 1.0, (channels, 1))
        if part == "drums":
            sound += 0.2 * pan * rng.standard_normal(frames) * np.exp(-30 * (time % 0.5))
            continue
        # A note every half second; every one has a few harmonics, and dies away.
        pitches = rng.choice(PITCHES_HZ[part], frames * 2 // rate + 1)
        phase = 2 * np.pi * np.cumsum(pitches[(2 * time).astype(int)]) / rate
        harmonics = sum(np.sin(k * phase) / k for k in range(1, 6))
        sound += 0.08 * pan * harmonics * np.exp(-3 * (time % 0.5))
    return sound.clip(-0.95, 0.95)
