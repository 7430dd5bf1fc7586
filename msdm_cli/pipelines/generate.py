"""Generation of new music with its stems, of any length."""

from dataclasses import dataclass, field
from pathlib import Path

from msdm_cli.diffusion.noise import NoiseField
from msdm_cli.errors import UnwritableAudio
from msdm_cli.models.load import Model
from msdm_cli.models.spec import Preset
from msdm_cli.pipelines.continuation import continue_stems, plan_continuation
from msdm_cli.pipelines.outputs import MIXTURE, OutputFiles, OutputOptions, SoundShape, check_vacant
from msdm_cli.pipelines.sampling import ChunkSampler, WatchedDenoiser, calls_per_chunk
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


@dataclass(frozen=True)
class Generated:
    """What was done.

    Attributes:
        files: What was written, by name: the stems and the mixture.
        seed: Seed of the noise.
        seconds: Length.
        calls: Network calls.
        clipped: Samples that were clipped.
    """

    files: dict[str, Path]
    seed: int
    seconds: float
    calls: int
    clipped: int


def generate_song(model: Model, folder: Path, options: GenerateOptions, progress: Progress) -> Generated:
    """Generate stems and their mixture.

    Args:
        model: The model.
        folder: Receives the files.
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
    paths = {name: folder / f"{name}.{options.output.file_format}" for name in (*spec.stems, MIXTURE)}
    check_vacant(list(paths.values()), [], overwrite=options.output.overwrite)
    windows = plan_continuation(spec, total)
    progress.start(folder.name, len(windows) * calls_per_chunk(options.preset))
    denoiser = WatchedDenoiser(model, progress)
    sampler = ChunkSampler(denoiser, options.preset, NoiseField(options.seed, len(spec.stems)), spec)
    subtype = options.output.resolve_subtype("PCM_16")
    with OutputFiles(paths, SoundShape(spec.sample_rate, 1, total, subtype)) as files:
        for stems in continue_stems(sampler, windows, {}, len(spec.stems)):
            for name, stem in zip(spec.stems, stems, strict=True):
                files.write(name, stem[None])
            files.write(MIXTURE, stems.sum(0, keepdims=True))
        clipped = files.clipped
    return Generated(paths, options.seed, options.seconds, denoiser.calls, clipped)
