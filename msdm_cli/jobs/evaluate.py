"""Evaluation of separated songs in the Slakh layout, song by song: what was done is not done again."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.files import FORMATS, SongReader, StemWriter
from msdm_cli.audio.windows import SongWindows
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import UnreadableAudio, UnsuitableAudio, UnwritableAudio
from msdm_cli.evaluation.metrics import score_windows
from msdm_cli.evaluation.oracles import separate_by_mask
from msdm_cli.evaluation.scores import Score, list_scores
from msdm_cli.evaluation.sdr import SongSdr, measure_sdr
from msdm_cli.evaluation.tables import load_table, save_table
from msdm_cli.jobs.outputs import OutputOptions
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import Progress
from msdm_cli.tasks.separate import SeparateOptions, separate_song

STEMS = ("bass", "drums", "guitar", "piano")
SAMPLE_RATE = 22050
LENGTH_TOLERANCE = SAMPLE_RATE // 10
MIXING_FRAMES = 1 << 16
ORACLES: dict[str, Callable[[Samples], Samples]] = {
    "ideal binary mask": lambda stems: separate_by_mask(stems, binary=True),
    "ideal ratio mask": lambda stems: separate_by_mask(stems, binary=False),
}


@dataclass(frozen=True)
class Separator:
    """What separates songs that are not separated yet.

    Attributes:
        model: The model.
        preset: Sampler settings.
        seed: Seed of the noise.
    """

    model: Model
    preset: Preset
    seed: int


@dataclass(frozen=True)
class Tables:
    """Where scores go, as CSV files.

    Attributes:
        scores: SI-SDRi.
        sdr: SDR; not measured if None.
    """

    scores: Path
    sdr: Path | None = None


def find_songs(folder: Path) -> list[Path]:
    """Folders that hold a file of at least one stem, in order. In Slakh, a stem that is not there is silent.

    Raises:
        UnreadableAudio: There are none.
    """
    songs = [
        path for path in sorted(folder.glob("*/")) if any(_find_stem(path, stem) for stem in STEMS)
    ]
    if not songs:
        names = ", ".join(f"{stem}.flac" for stem in STEMS)
        raise UnreadableAudio(
            f"{folder}: no songs", f"Give a folder of folders with {names} (or wav) in each."
        )
    return songs


def _find_stem(song: Path, stem: str) -> Path | None:
    return next((path for ext in FORMATS if (path := song / f"{stem}.{ext}").is_file()), None)


def load_stems(song: Path) -> Samples:
    """The stems of a song as the protocol has them: mono, 22 050 Hz, ``[S, T]``.

    Raises:
        AudioError: One cannot be read, or differs by more than 0.1 s from the others.
    """
    stems: dict[str, NDArray[np.float32]] = {}
    for name in STEMS:
        if path := _find_stem(song, name):
            with SongReader(path) as reader:
                windows = SongWindows(reader, SAMPLE_RATE)
                stems[name] = windows.read(0, windows.total).mean(0)
    length = min(map(len, stems.values()))
    if max(map(len, stems.values())) - length > LENGTH_TOLERANCE:
        lengths = ", ".join(str(len(stem)) for stem in stems.values())
        raise UnsuitableAudio(
            f"{song}: stems differ in length ({lengths} samples)", "Export them together."
        )
    silence = np.zeros(length, np.float32)
    return np.stack([stems.get(name, silence)[:length] for name in STEMS])


def evaluate_song(
    song: Path,
    estimates: Path,
    tables: Tables,
    method: str,
    separator: Separator | None,
    progress: Progress,
) -> None:
    """Score a song, and keep the tables up to date.

    Args:
        song: Folder of the true stems.
        estimates: Holds a folder of the same name.
        tables: Where scores go; methods that are in a table for this song are not scored for it again.
        method: Name of the method in the tables.
        separator: Separates the song if it has no estimates yet; None if it must have some. Estimates that msdm made
            must be its own.
        progress: Told of each network call.

    Raises:
        AudioError: It cannot be scored.
        BackendUnavailable: SDR is asked for, and cannot be computed here.
    """
    scores, sdr = (
        load_table(tables.scores, Score),
        load_table(tables.sdr, SongSdr) if tables.sdr else [],
    )
    if separator is not None and _separate(song, estimates / song.name, separator, progress):
        scores = [
            row for row in scores if (row.song, row.method) != (song.name, method)
        ]  # of what was there before
        sdr = [row for row in sdr if (row.song, row.method) != (song.name, method)]
    scored = {row.method for row in scores if row.song == song.name}
    measured = (
        {row.method for row in sdr if row.song == song.name} if tables.sdr else {method, *ORACLES}
    )
    missing = [name for name in (method, *ORACLES) if name not in scored & measured]
    if not missing:
        return
    truth = load_stems(song)
    for name in missing:
        estimate = (
            ORACLES[name](truth) if name in ORACLES else _load_estimate(estimates / song.name)
        )
        length = min(truth.shape[1], estimate.shape[1])
        if max(truth.shape[1], estimate.shape[1]) - length > LENGTH_TOLERANCE:
            raise UnsuitableAudio(
                f"{estimates / song.name}: has {estimate.shape[1]} samples, the true stems {truth.shape[1]}",
                "Estimates must be of the whole song.",
            )
        pair = (estimate[:, :length], truth[:, :length], SAMPLE_RATE)
        if name not in scored:
            scores += list_scores(name, song.name, STEMS, score_windows(*pair))
        if name not in measured:
            medians = zip(STEMS, measure_sdr(*pair), strict=True)
            sdr += [SongSdr(name, song.name, stem, sdr_db) for stem, sdr_db in medians]
    save_table(tables.scores, Score, scores)
    if tables.sdr:
        save_table(tables.sdr, SongSdr, sdr)


def _separate(song: Path, folder: Path, separator: Separator, progress: Progress) -> bool:
    """Separate a song, unless it has been: by the same separator, or without msdm.

    Returns:
        Whether it was separated now.

    Raises:
        AudioError: It cannot be read, msdm has separated it otherwise, or estimates are incomplete.
    """
    output = OutputOptions(subtype="FLOAT")
    manifest = output.place_manifest(folder.parent, song.name)
    there = [stem for stem in STEMS if _find_stem(folder, stem)]
    if len(there) == len(STEMS) and not manifest.exists():
        return False
    with tempfile.TemporaryDirectory() as temporary:
        mixture = Path(temporary) / f"{song.name}.wav"
        write_mixture(song, mixture)
        options = SeparateOptions(separator.preset, separator.seed, output=output)
        try:
            return not separate_song(
                separator.model, mixture, folder.parent, options, progress
            ).skipped
        except UnwritableAudio as error:
            if not there:
                raise
            raise UnwritableAudio(
                f"{folder}: is incomplete, or was made with other settings or by another msdm",
                "Leave out --separate to score it as it is, name another folder for the estimates, or remove this one.",
            ) from error


def _load_estimate(folder: Path) -> Samples:
    if missing := [stem for stem in STEMS if not _find_stem(folder, stem)]:
        raise UnreadableAudio(
            f"{folder}: has no stem {', '.join(missing)}",
            "Separate the song first, or say --separate MODEL.",
        )
    return load_stems(folder)


def write_mixture(song: Path, path: Path) -> None:
    """Write the sum of a song's stems.

    Raises:
        AudioError: They cannot be read, or differ in rate or length.
    """
    with ExitStack() as stack:
        files = [file for stem in STEMS if (file := _find_stem(song, stem))]
        readers = [stack.enter_context(SongReader(file)) for file in files]
        rates = {reader.properties.sample_rate for reader in readers}
        length = min(reader.properties.frames for reader in readers)
        if len(rates) > 1:
            raise UnsuitableAudio(f"{song}: stems differ in rate", "Export them together.")
        writer = stack.enter_context(StemWriter(path, rates.pop(), 1, "FLOAT", length))
        for start in range(0, length, MIXING_FRAMES):
            count = min(MIXING_FRAMES, length - start)
            writer.write(
                np.sum([reader.read(count).mean(0, keepdims=True) for reader in readers], 0)
            )
        writer.finish()
        writer.commit()
