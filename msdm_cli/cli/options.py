"""Options that several commands share."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any

import typer

from msdm_cli.audio.formats import SUBTYPES, writable_formats
from msdm_cli.cli.option_checks import check_finite, check_name, check_seed, choose_from, complete
from msdm_cli.cli.times import parse_length, parse_time


class Quality(str, Enum):
    """The presets that every task of a model should have."""

    fast = "fast"
    default = "default"
    best = "best"


PART = "Part and length"
SAMPLING = "Sampling"
RESULTS = "Results"
MACHINES = "Many machines"
"""Groups of options in the help."""

MOST_STEPS = 1000
MOST_RESAMPLES = 100
MOST_VARIATIONS = 1000


def show_choices(names: Sequence[str]) -> str:
    """Names as a metavar: ``[a|b]``."""
    return f"[{'|'.join(names)}]"


SeparationQualityOption = Annotated[
    Quality,
    typer.Option(
        "--quality",
        rich_help_panel=SAMPLING,
        help="Speed against quality. The embedded model averages 1, 2 or 4 estimates.",
    ),
]
PriorQualityOption = Annotated[
    Quality,
    typer.Option(
        "--quality",
        rich_help_panel=SAMPLING,
        help="Speed against quality. For 12 s the embedded model takes 10 or 20 calls of the "
        "network that draws the sketch, and one for its sound. With best, generating takes 40, and "
        "imputing 96: it draws four sketches, and keeps the one whose stems predict each other "
        "best.",
    ),
]
SeparationStepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        max=MOST_STEPS,
        metavar="N",
        rich_help_panel=SAMPLING,
        help="Number of sampler steps, instead of that of the quality. The embedded model takes no "
        "steps by default, and separates best without.",
    ),
]
PriorStepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        max=MOST_STEPS,
        metavar="N",
        rich_help_panel=SAMPLING,
        help="Number of sampler steps, instead of that of the quality. For the embedded model: of "
        "each sketch that it draws.",
    ),
]


def _offer_sampler(known: str) -> Any:
    """The option ``--sampler``, and what is said of the names that it takes."""
    return typer.Option(
        "--sampler", metavar="NAME", rich_help_panel=SAMPLING, help=f"A sampler by name: {known}."
    )


SeparationSamplerOption = Annotated[
    str | None,
    _offer_sampler("dirac or gaussian for the models of the paper's authors, gibbs for Demucs"),
]
PriorSamplerOption = Annotated[
    str | None, _offer_sampler("published (the paper's) for the models of its authors")
]
ResamplesOption = Annotated[
    int | None,
    typer.Option(
        "--num-resamples",
        min=1,
        max=MOST_RESAMPLES,
        metavar="N",
        rich_help_panel=SAMPLING,
        help="How many times the paper's samplers repeat each step.",
    ),
]
ChurnOption = Annotated[
    float | None,
    typer.Option(
        "--churn",
        min=0,
        metavar="X",
        callback=check_finite,
        rich_help_panel=SAMPLING,
        help="The paper's S_churn: noise that its samplers add in each step.",
    ),
]
GammaOption = Annotated[
    float | None,
    typer.Option(
        "--gamma",
        metavar="X",
        callback=check_finite,
        rich_help_panel=SAMPLING,
        help="Noise of the mixture for the sampler gaussian, in units of the noise level.",
    ),
]
AnchorOption = Annotated[
    str | None,
    typer.Option(
        "--anchor",
        metavar="STEM",
        rich_help_panel=SAMPLING,
        help="The stem that takes what the others leave of the mixture, for the sampler dirac.",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        metavar="N",
        callback=check_seed,
        rich_help_panel=SAMPLING,
        help="Seed of the noise. The same seed gives the same samples on the same machine. Drawn "
        "by default.",
    ),
]
SeparationSeedOption = Annotated[
    int, typer.Option("--seed", min=0, callback=check_seed, help="Seed of the separation.")
]
VariationsOption = Annotated[
    int,
    typer.Option(
        "--variations",
        min=1,
        max=MOST_VARIATIONS,
        metavar="N",
        rich_help_panel=SAMPLING,
        help="Number of takes. Their seeds count up.",
    ),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar=show_choices(writable_formats()),
        callback=choose_from(writable_formats),
        autocompletion=complete(writable_formats),
        rich_help_panel=RESULTS,
        help="File format of the results.",
    ),
]
SubtypeOption = Annotated[
    str | None,
    typer.Option(
        "--subtype",
        metavar="NAME",
        callback=choose_from(lambda: list(SUBTYPES)),
        autocompletion=complete(lambda: list(SUBTYPES)),
        rich_help_panel=RESULTS,
        help=f"How samples are stored: {', '.join(SUBTYPES)}. By default as in the input, "
        "and PCM_16 where there is none.",
    ),
]
RateOption = Annotated[
    int | None,
    typer.Option(
        "--rate",
        min=100,
        max=1_000_000,
        metavar="HZ",
        rich_help_panel=RESULTS,
        help="Sample rate of the results. By default that of the input, or the model's where there "
        "is none; if the format lacks it, the next one that it has (Opus: 48000).",
    ),
]
StartOption = Annotated[
    float,
    typer.Option(
        "--start",
        metavar="TIME",
        parser=parse_time,
        rich_help_panel=PART,
        help="Where to begin in a song: 75, 1:15 or 1:02:03.5.",
    ),
]
SongDurationOption = Annotated[
    float | None,
    typer.Option(
        "--duration",
        "--seconds",
        metavar="TIME",
        parser=parse_time,
        rich_help_panel=PART,
        help="How much of a song to separate. To its end by default.",
    ),
]
MusicDurationOption = Annotated[
    float | None,
    typer.Option(
        "--duration",
        "--seconds",
        metavar="TIME",
        parser=parse_length,
        rich_help_panel=PART,
        help="Length of the music, or of what --extend adds: 12, or 1:30. At most 24 hours; 12 s "
        "by default.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Print what the work would cost, and do nothing."),
]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", rich_help_panel=RESULTS, help="Replace files that exist already."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print errors only, and what --json asks for.")
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the summary as JSON, and progress as lines of JSON on stderr."
    ),
]
JsonSummaryOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
NameOption = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="PATH",
        callback=check_name,
        rich_help_panel=RESULTS,
        help="Path of a stem in DIR. It needs {stem}, may have {track}, and ends in .{ext}.",
    ),
]
