"""Options that say what new music shall be like."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.model_options import check_stems
from msdm_cli.cli.option_checks import choose_from, complete, split_names
from msdm_cli.tasks.styles import STYLES

if TYPE_CHECKING:
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.models.spec import ModelSpec
    from msdm_cli.tasks.controls import Controls

MUSIC = "Music"
"""The group of these options in the help."""

SLOWEST = 40
FASTEST = 240
"""Tempos in beats a minute; the training had 60 to 180."""

TempoOption = Annotated[
    float | None,
    typer.Option(
        "--tempo",
        min=SLOWEST,
        max=FASTEST,
        metavar="BPM",
        rich_help_panel=MUSIC,
        help="Quarter notes a minute. A usual tempo of the style by default.",
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        rich_help_panel=MUSIC,
        help="Key: Am, F# minor, Eb major. By default it depends on the seed.",
    ),
]
StyleOption = Annotated[
    str | None,
    typer.Option(
        "--style",
        metavar="NAME",
        callback=choose_from(lambda: list(STYLES)),
        autocompletion=complete(lambda: list(STYLES)),
        rich_help_panel=MUSIC,
        help=f"One of {', '.join(STYLES)}. By default it depends on the seed.",
    ),
]
PlayOption = Annotated[
    list[str] | None,
    typer.Option(
        "--play",
        metavar="STEM,...",
        callback=split_names,
        rich_help_panel=MUSIC,
        help="Stems that play; the others rest. By default the model decides.",
    ),
]


def choose_controls(
    spec: "ModelSpec",
    task: str,
    *,
    tempo: float | None = None,
    key: str | None = None,
    style: str | None = None,
    play: list[str] | None = None,
) -> "Controls":
    """What is asked of new music.

    Raises:
        BadParameter: A value means nothing, or the model cannot be asked for anything.
    """
    from msdm_cli.tasks.controls import Controls, parse_key

    asked = {"--tempo": tempo, "--key": key, "--style": style, "--play": play}
    options = [option for option, value in asked.items() if value]
    if options and len(spec.list_stages(task)) < 2:
        raise typer.BadParameter(
            f"the model {spec.name} draws no sketch, so that it cannot be asked for this",
            param_hint=options[0],
        )
    try:
        parsed = parse_key(key) if key is not None else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--key") from error
    playing = check_stems(play, spec, "--play") if play else ()
    plays = tuple(name in playing for name in spec.stems) if playing else ()
    return Controls(tempo=tempo, key=parsed, style=style, playing=plays)


def name_take(request: "JobRequest") -> str:
    """What a take is called: its seed, and what its music is like."""
    controls = request.options.controls
    music = [controls.style, controls.tempo and f"{controls.tempo:g} bpm", controls.key]
    return ", ".join([f"seed {request.options.seed}", *(text for text in music if text)])


def fill_controls(request: "JobRequest") -> "JobRequest":
    """The same take, with the controls that its seed decides, if its model has any."""
    options = request.options
    if options.sketch is None:
        return request
    filled = options.controls.filled(options.seed or 0)
    return replace(request, options=replace(options, controls=filled))
