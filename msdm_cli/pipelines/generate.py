"""Generation of new music with its stems, of any length."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from msdm_cli.audio.files import AudioProperties
from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.errors import UnwritableAudio
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.pipelines.continuation import continue_stems, plan_continuation
from msdm_cli.pipelines.journal import Journal
from msdm_cli.pipelines.outputs import MIXTURE, OutputFiles, OutputOptions, SoundShape, check_vacant, fit_gain
from msdm_cli.pipelines.sampling import ChunkSampler, WatchedDenoiser, calls_per_chunk
from msdm_cli.pipelines.work import Done, journal_folder, settle_job
from msdm_cli.progress import Progress


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
    track = f"seed-{options.seed}"
    paths = {name: options.output.place(folder, track, name) for name in (*spec.stems, MIXTURE)}
    manifest = options.output.place_manifest(folder, track)
    job, done = settle_job("generate", model, options, {}, manifest)
    if done:
        return done
    began, gain, calls = time.monotonic(), 1.0, 0
    shape = SoundShape(spec.sample_rate, 1, total, options.output.resolve_subtype("PCM_16"))
    with Journal(journal_folder(manifest), job) as journal:
        overwrite = options.output.overwrite or journal.resumed
        check_vacant([*paths.values(), manifest], [], overwrite=overwrite)
        while True:  # once more with a gain, if a file would clip; the network is not asked again
            with OutputFiles(paths, shape) as files:
                peak, asked = _write(model, files, options, gain, journal, progress)
                applied, gain, calls = gain, fit_gain(peak, shape.subtype), calls + asked
                if gain == 1 or applied < 1:
                    records = files.finish(manifest.parent)
                    files.commit()
                    break
        done = Done(
            files=paths,
            manifest=manifest,
            properties=AudioProperties(shape.sample_rate, shape.channels, shape.frames, shape.subtype),
            seed=job.seed,
            calls=calls,
            gain_db=20 * math.log10(applied),
            clipped=files.clipped,
        )
        done.save(job, {}, records, seconds=round(time.monotonic() - began, 3))
    return done


def _write(
    model: Model, files: OutputFiles, options: GenerateOptions, gain: float, journal: Journal, progress: Progress
) -> tuple[float, int]:
    """Write stems and mixture; gives their peak before the gain, and the number of network calls."""
    spec, peak, calls = model.spec, 0.0, calls_per_chunk(options.preset)
    windows = plan_continuation(spec, files.shape.frames)
    progress.start(f"seed {options.seed}", len(windows) * calls)
    denoiser = WatchedDenoiser(model, progress)
    sampler = ChunkSampler(denoiser, options.preset, NoiseField(options.seed, len(spec.stems)), spec)
    for stems in continue_stems(sampler, windows, {}, journal, lambda: progress.advance(calls)):
        signals = {**dict(zip(spec.stems, stems, strict=True)), MIXTURE: stems.sum(0)}
        for name, signal in signals.items():
            peak = max(peak, float(np.abs(signal).max(initial=0)))
            files.write(name, np.float32(gain) * signal[None])
    return peak, denoiser.calls
