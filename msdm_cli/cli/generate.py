"""``msdm generate``."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import typer

from msdm_cli.cli.batch import estimate_batch, run_batch
from msdm_cli.cli.beside import Beside, MidiOption, PageOption, ProjectOption
from msdm_cli.cli.cluster_options import ClusterOption, ResourcesOption, choose_row
from msdm_cli.cli.display import Display
from msdm_cli.cli.hints import hinted
from msdm_cli.cli.model_options import choose_music_presets, find_spec, load_chosen
from msdm_cli.cli.music_options import (
    BarsOption,
    ExtendOption,
    KeyOption,
    PlayOption,
    StyleOption,
    TempoOption,
    check_asked,
    choose_controls,
    fill_controls,
    inherit,
    name_take,
    open_take,
)
from msdm_cli.cli.option_checks import check_here, choose_output
from msdm_cli.cli.options import (
    ChurnOption,
    DryRunOption,
    FormatOption,
    JsonOption,
    MusicDurationOption,
    OverwriteOption,
    PriorQualityOption,
    PriorSamplerOption,
    PriorStepsOption,
    Quality,
    QuietOption,
    RateOption,
    ResamplesOption,
    SeedOption,
    SubtypeOption,
    VariationsOption,
)
from msdm_cli.cli.places import FolderOption
from msdm_cli.cli.runtime_options import (
    BackendOption,
    DeviceOption,
    ModelOption,
    PrecisionOption,
    ProviderOption,
    ThreadsOption,
    choose_runtime,
)
from msdm_cli.cli.takes import choose_seeds, describe_stop
from msdm_cli.errors import MissingStems
from msdm_cli.models.registry import EMBEDDED


def generate(  # noqa: PLR0913  an option each
    folder: FolderOption = Path("generated"),
    *,
    seconds: MusicDurationOption = None,
    bars: BarsOption = None,
    extend: ExtendOption = None,
    tempo: TempoOption = None,
    key: KeyOption = None,
    style: StyleOption = None,
    play: PlayOption = None,
    variations: VariationsOption = 1,
    quality: PriorQualityOption = Quality.default,
    steps: PriorStepsOption = None,
    seed: SeedOption = None,
    model_name: ModelOption = EMBEDDED,
    sampler: PriorSamplerOption = None,
    num_resamples: ResamplesOption = None,
    churn: ChurnOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    provider: ProviderOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = 0,
    file_format: FormatOption = "wav",
    subtype: SubtypeOption = None,
    rate: RateOption = None,
    page: PageOption = True,
    project: ProjectOption = None,
    midi: MidiOption = False,
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    cluster: ClusterOption = None,
    resources: ResourcesOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Generate music and its stems.

    The stems and their mixture go to DIR/seed-N, with a description of how they were made,
    msdm.json. A take that was interrupted continues if the same seed is given.

    Tempo, key and style can be asked for; otherwise they depend on the seed, and the summary tells
    them. What the embedded model plays is simple: a beat, chords, phrases and rests.

    A continuation takes tempo, key and style from the msdm.json of the music. Without one, tempo
    and key are heard.

    \b
    Examples:
      msdm generate --seconds 12 --seed 1
      msdm generate --extend generated/seed-1 --seconds 30
      msdm generate --bars 4 --tempo 120
      msdm generate --tempo 96 --key Am --style funk --play bass,drums
      msdm generate --variations 8 -o takes
    """  # noqa: D301  \b keeps the lines of the examples
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.tasks.generate import USUAL_SECONDS, GenerateOptions

    spec = find_spec(model_name)
    check_length(seconds, bars, extend)
    check_asked(spec, "generate", ["--bars"] if bars else [])
    controls = choose_controls(spec, "generate", tempo=tempo, key=key, style=style, play=play)
    stems: dict[str, Path] = {}
    if extend is not None:
        check_here(extend)
        # Here, other options help than elsewhere.
        with hinted({MissingStems: lambda error: error.remedy}):
            stems, told = open_take(extend, spec)
        controls = inherit(controls, told)
    changes = {"num_resamples": num_resamples, "churn": churn}
    preset, sketch = choose_music_presets(spec, "generate", sampler, quality, steps, changes)
    seeds = choose_seeds(seed, variations, preset)
    length = USUAL_SECONDS if seconds is None else seconds
    request = JobRequest(
        task="generate",
        model=model_name,
        runtime=choose_runtime(device, backend, provider, precision, threads, preset),
        options=GenerateOptions(
            preset,
            seeds[0],
            length,
            sketch,
            controls,
            loops=bars is not None,
            continues=extend is not None,
        ),
        inputs=stems,
        folder=folder,
        output=choose_output(file_format, subtype, rate),
        overwrite=overwrite,
    )
    count = len(spec.stems)
    takes = [
        fill_controls(replace(request.with_seed(number), track=f"seed-{number}"), count, bars)
        for number in seeds
    ]
    requests = {name_take(take): take for take in takes}
    display = Display(quiet=quiet, as_json=as_json, farewell=describe_stop(seed, seeds))
    load = partial(load_chosen, model_name, request.runtime, display)
    if dry_run:
        first = next(iter(requests.values()))
        estimate_batch({"one take": first}, load(), display)
        return
    jobs = request.runtime.devices
    row = choose_row(None, jobs, cluster, resources)
    beside = Beside(display, page, project, midi)
    run_batch("variation", requests, load, beside=beside, jobs=jobs, executor=row)


def check_length(seconds: float | None, bars: int | None, extend: Path | None) -> None:
    """Refuse lengths that contradict each other.

    Raises:
        BadParameter: A loop has a length in seconds, or goes on from something.
    """
    if bars is None:
        return
    if seconds is not None:
        raise typer.BadParameter(
            "the bars are the length: leave --seconds out", param_hint="--bars"
        )
    if extend is not None:
        raise typer.BadParameter(
            "a loop begins with itself: leave --extend out", param_hint="--bars"
        )
