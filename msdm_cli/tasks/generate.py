"""Generation of new music with its stems, of any length."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msdm_cli.audio.files import AudioProperties
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.errors import UnwritableAudio
from msdm_cli.jobs.journal import Journal
from msdm_cli.jobs.outputs import MIXTURE, OutputFiles, OutputOptions, SoundShape
from msdm_cli.jobs.run import Attempt, Done, Work, do_work
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.progress import Progress
from msdm_cli.tasks.behind import Behind
from msdm_cli.tasks.continuation import continue_stems, plan_continuation
from msdm_cli.tasks.sampling import Calls, ChunkSampler, calls_per_chunk


@dataclass(frozen=True)
class GenerateOptions:
    """How music is generated.

    Attributes:
        preset: Sampler settings.
        seed: Seed of the noise.
        seconds: Length.
        output: How results are written.
    """

    preset: Preset
    seed: int
    seconds: float
    output: OutputOptions = field(default_factory=OutputOptions)


def generate_song(model: Model, folder: Path, options: GenerateOptions, progress: Progress) -> Done:
    """Generate stems and their mixture, or find that this was done.

    Args:
        model: The model.
        folder: Receives a folder named after the seed, where ``options.output.name`` says.
        options: How.
        progress: Told of each network call.

    Raises:
        AudioError: The files cannot be written; none is left behind.
        NonFiniteSamples: The network failed.
    """
    spec = model.spec
    total = round(options.seconds * spec.sample_rate)
    if total < 1:
        raise UnwritableAudio(f"{options.seconds} s is no length", "Say --seconds 12.")
    track, subtype = f"seed-{options.seed}", options.output.resolve_subtype("PCM_16")
    work = Work(
        task="generate",
        options=options,
        inputs={},
        paths={name: options.output.place(folder, track, name) for name in (*spec.stems, MIXTURE)},
        manifest=options.output.place_manifest(folder, track),
        properties=AudioProperties(spec.sample_rate, 1, total, subtype),
        shape=SoundShape(spec.sample_rate, 1, total, subtype),
    )

    def write(files: OutputFiles, journal: Journal, seed: int, gain: float) -> Attempt:
        windows, calls, peak = plan_continuation(spec, total), calls_per_chunk(options.preset), 0.0
        progress.start(f"seed {seed}", len(windows) * calls)
        made = Calls(progress)
        sampler = ChunkSampler(
            model.keep(seed), options.preset, NoiseField(seed, len(spec.stems)), made
        )
        with Behind() as writing:
            for stems in continue_stems(sampler, windows, {}, journal, partial(made.skip, calls)):
                signals = {**dict(zip(spec.stems, stems, strict=True)), MIXTURE: stems.sum(0)}
                peak = max(
                    peak, *(float(np.abs(signal).max(initial=0)) for signal in signals.values())
                )
                writing.do(_write, files, signals, gain)
        return Attempt(peak, made.count)

    return do_work(work, model, write)


def _write(files: OutputFiles, signals: Mapping[str, NDArray[np.float32]], gain: float) -> None:
    for name, signal in signals.items():
        files.write(name, np.float32(gain) * signal[None])
