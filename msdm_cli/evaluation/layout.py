"""Songs whose stems are known: a folder for each song, with a sound file for each stem."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.file_source import FileSource
from msdm_cli.audio.formats import FORMATS
from msdm_cli.audio.song_windows import SongWindows
from msdm_cli.audio.source import ArraySource, read_all
from msdm_cli.diffusion.denoiser import Samples
from msdm_cli.errors import NoSongs, UnsuitableAudio

TOLERANCE_SECONDS = 0.1
"""Stems of one song may differ in length by so much: encoders pad, and renderers let notes ring."""
READ_FRAMES = 1 << 16


@dataclass(frozen=True)
class Layout:
    """What a folder of songs holds, and how its songs are compared.

    Attributes:
        stems: Names of the stems, which are the names of their files.
        sample_rate: Rate at which stems are compared, in hertz.
    """

    stems: tuple[str, ...]
    sample_rate: int

    def find_songs(self, folder: Path) -> list[Path]:
        """Folders with a file of at least one stem, in alphabetical order.

        Raises:
            NoSongs: There are none.
        """
        if not folder.is_dir():
            raise NoSongs(f"{folder}: no such folder", "Check the name.")
        songs = [path for path in sorted(folder.glob("*/")) if self.find_stems(path)]
        if not songs:
            names = ", ".join(f"{stem}.flac" for stem in self.stems)
            raise NoSongs(
                f"{folder}: holds no songs",
                f"Give a folder that holds a folder for each song, with {names} (or wav) in it.",
            )
        return songs

    def find_stems(self, song: Path) -> dict[str, Path]:
        """The files of a song, by stem. In Slakh, a stem without a file is silent."""
        files = {}
        for stem in self.stems:
            paths = [song / f"{stem}{sound_format.suffix}" for sound_format in FORMATS.values()]
            if found := next(filter(Path.is_file, paths), None):
                files[stem] = found
        return files

    def load_stems(self, song: Path) -> Samples:
        """The stems of a song as they are compared: one channel, at ``sample_rate``.

        Shape:
            ``[S, T]``

        Raises:
            AudioError: A file cannot be read, or lengths differ by more than 0.1 s.
        """
        found = {}
        for stem, path in self.find_stems(song).items():
            with FileSource(path).open() as reader:
                windows = SongWindows(reader, self.sample_rate)
                found[stem] = windows.read(0, windows.total).mean(0)
        length = _common_length(
            song, [len(samples) for samples in found.values()], self.sample_rate
        )
        silence = np.zeros(length, np.float32)
        return np.stack([found.get(stem, silence)[:length] for stem in self.stems])

    def load_mixture(self, song: Path) -> ArraySource:
        """The sum of a song's stems: one channel, at the rate of their files.

        Raises:
            AudioError: A file cannot be read, rates differ, or lengths differ by more than 0.1 s.
        """
        sources = [FileSource(path) for path in self.find_stems(song).values()]
        rates = {source.properties.sample_rate for source in sources}
        if len(rates) > 1:
            listed = ", ".join(f"{rate} Hz" for rate in sorted(rates))
            raise UnsuitableAudio(
                f"{song}: stems differ in rate ({listed})", "Export them together."
            )
        rate = rates.pop()
        length = _common_length(song, [source.properties.frames for source in sources], rate)
        mixture = np.zeros(length, np.float32)
        for source in sources:
            mixture += _load_mono(source)[:length]
        return ArraySource(mixture, rate, song.name)


def _common_length(song: Path, lengths: list[int], sample_rate: int) -> int:
    """The shortest of some lengths, in samples, if they differ by 0.1 s at most."""
    if max(lengths) - min(lengths) > TOLERANCE_SECONDS * sample_rate:
        listed = ", ".join(map(str, lengths))
        raise UnsuitableAudio(
            f"{song}: stems differ in length ({listed} samples)", "Export them together."
        )
    return min(lengths)


def _load_mono(source: FileSource) -> NDArray[np.float32]:
    """The mean of the channels, ``[T]``."""
    return np.concatenate([block.mean(0) for block in read_all(source, READ_FRAMES)])
