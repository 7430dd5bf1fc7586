"""A model that separates, imputes and generates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msdm_cli.music_model import MusicModel
from msdm_cli.progress import Progress
from msdm_cli.tasks.arrays import Sound, Stems, concatenate, flatten_like, list_names, open_sound
from msdm_cli.tasks.separate import SONG, SeparateOptions
from msdm_cli.tasks.stream import StemBlock


@dataclass(frozen=True)
class Model(MusicModel):
    """A model on a device, ready to be asked.

    Its methods return arrays by stem name, ``[C, T]`` each; their twins ``..._blocks`` yield them
    in blocks that follow each other. Results do not depend on which twin is used.
    """

    def __repr__(self) -> str:
        """What it is and what runs it, in one short line."""
        runtime = self.runtime
        where = ", ".join((runtime.device, runtime.backend, runtime.precision))
        return f"Model({self.spec.name!r}, {where})"

    def separate(
        self,
        song: Sound,
        sample_rate: int | None = None,
        *,
        quality: str = "default",
        seed: int = 0,
        absent: str | Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Stems:
        """Separate a song into stems that sum to it.

        Args:
            song: A path, or samples.
            sample_rate: Of the samples, in hertz; a file has its own.
            quality: fast, default or best, or another preset of the model's spec.
            seed: Seed of the noise, 0 to 2^64 - 1. Presets that use none ignore it.
            absent: Stems that the song does not have, such as ``"piano"``: no guitar is called a
                piano then.
            progress: Receives each network call.

        Returns:
            All stems of the model by name but those that are absent, ``[C, T]`` each at the song's
            rate. A song ``[T]`` gives stems ``[T]``. The last bits of the sum are those of single
            precision.

        Raises:
            AudioError: The song cannot be read, or holds no samples or a NaN.
            MissingPreset: The model has no preset of that name.
            MissingTask: The model cannot be told that a stem is absent.
            NonFiniteSamples: The network failed.
            ValueError: Samples come without a rate, or in another shape; or an absent stem is
                unknown, or all are absent; or the seed is none.
            TypeError: The song is no sound.
        """
        blocks = self.separate_blocks(
            song, sample_rate, quality=quality, seed=seed, absent=absent, progress=progress
        )
        return flatten_like([song], concatenate(blocks, with_mixture=False))

    def separate_blocks(
        self,
        song: Sound,
        sample_rate: int | None = None,
        *,
        quality: str = "default",
        seed: int = 0,
        absent: str | Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Iterator[StemBlock]:
        """Separate a song in blocks; arguments and errors are those of ``separate``.

        Yields:
            Consecutive blocks in double precision, whose stems sum to their mixture, the song.
        """
        preset = self.spec.preset("separate", quality)
        options = SeparateOptions(preset, seed, absent=list_names(absent))
        return self._run("separate", {SONG: open_sound(song, sample_rate, SONG)}, options, progress)
