"""Options that say what new music shall be like."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from msdm_cli.cli.given_stems import choose_files
from msdm_cli.cli.model_options import check_stems
from msdm_cli.cli.option_checks import choose_from, complete, split_names
from msdm_cli.cli.options import PART
from msdm_cli.tasks.styles import STYLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.jobs.stem_folder import StemFolder
    from msdm_cli.models.spec import ModelSpec
    from msdm_cli.tasks.controls import Controls

MUSIC = "Music"
"""The group of these options in the help."""

SLOWEST = 40
FASTEST = 240
"""Tempos in beats a minute; the training had 60 to 180."""
MOST_BARS = 256
"""A loop at another rate is held in memory."""


def _offer_tempo(default: str) -> Any:
    """The option ``--tempo``, and what is said of its default."""
    return typer.Option(
        "--tempo",
        min=SLOWEST,
        max=FASTEST,
        metavar="BPM",
        rich_help_panel=MUSIC,
        help=f"Quarter notes a minute. {default}",
    )


def _offer_key(default: str) -> Any:
    """The option ``--key``, and what is said of its default."""
    return typer.Option(
        "--key",
        metavar="KEY",
        rich_help_panel=MUSIC,
        help=f"Key: Am, F# minor, Eb major. {default}",
    )


HEARD = "By default that of the take that given stems are of, or what is heard in them."

TempoOption = Annotated[
    float | None,
    _offer_tempo("By default that of what --extend continues, or a usual one of the style."),
]
KeyOption = Annotated[
    str | None, _offer_key("By default that of what --extend continues, or drawn from the seed.")
]
GivenTempoOption = Annotated[float | None, _offer_tempo(HEARD)]
GivenKeyOption = Annotated[str | None, _offer_key(HEARD)]
StyleOption = Annotated[
    str | None,
    typer.Option(
        "--style",
        metavar="NAME",
        callback=choose_from(lambda: list(STYLES)),
        autocompletion=complete(lambda: list(STYLES)),
        rich_help_panel=MUSIC,
        help=f"One of {', '.join(STYLES)}. By default that of the take given or "
        "continued; for new music it is drawn from the seed.",
    ),
]
BarsOption = Annotated[
    int | None,
    typer.Option(
        "--bars",
        min=1,
        max=MOST_BARS,
        metavar="N",
        rich_help_panel=PART,
        help="Make a loop of so many bars: its end leads to its beginning.",
    ),
]
ExtendOption = Annotated[
    Path | None,
    typer.Option(
        "--extend",
        metavar="DIR",
        rich_help_panel=PART,
        help="Continue the stems in a folder: a take, or files named after the model's stems. The "
        "results are the whole piece, what was there as it was.",
    ),
]
PlayOption = Annotated[
    list[str] | None,
    typer.Option(
        "--play",
        metavar="STEM,...",
        callback=split_names,
        rich_help_panel=MUSIC,
        help="Stems that play; the others are silent. By default it depends on the seed.",
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
    check_asked(spec, task, [option for option, value in asked.items() if value])
    try:
        parsed = parse_key(key) if key is not None else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--key") from error
    playing = check_stems(play, spec, "--play") if play else ()
    plays = tuple(name in playing for name in spec.stems) if playing else ()
    return Controls(tempo=tempo, key=parsed, style=style, playing=plays).styled


def check_asked(spec: "ModelSpec", task: str, options: "Sequence[str]") -> None:
    """Refuse options of a model that cannot be asked for anything.

    Raises:
        BadParameter: It is one.
    """
    if options and len(spec.list_stages(task)) < 2:
        raise typer.BadParameter(
            f"the model {spec.name} draws no sketch, so that it cannot be asked for this",
            param_hint=options[0],
        )


def name_take(request: "JobRequest") -> str:
    """What a take is called: its seed, and what its music is like."""
    controls = request.options.controls
    music = [controls.style, controls.tempo and f"{controls.tempo:g} bpm", controls.key]
    return ", ".join([f"seed {request.options.seed}", *(text for text in music if text)])


def fill_controls(request: "JobRequest", stems: int, bars: int | None = None) -> "JobRequest":
    """The same take, with the controls that its seed decides, if its model has any.

    Args:
        request: The take. What continues other music is like that.
        stems: Number of the model's stems.
        bars: Length of a loop.
    """
    options = request.options
    if options.sketch is None or request.inputs:
        return request
    filled = options.controls.filled(options.seed or 0, stems)
    seconds = options.seconds if bars is None else bars * filled.bar_seconds
    return replace(request, options=replace(options, controls=filled, seconds=seconds))


def open_take(folder: Path, spec: "ModelSpec") -> "tuple[dict[str, Path], Controls]":
    """The stems of a take that is continued, by name, and what was asked of it.

    Raises:
        MissingStems: There are none of the model.
        UnreadableManifest: The folder holds the results of several songs, or none that are known.
    """
    from msdm_cli.jobs.stem_folder import open_stem_folder

    opened = open_stem_folder(folder)
    return choose_files(opened, spec.stems), _read_controls(opened, spec)


def recall_controls(stems: "Mapping[str, Path]", spec: "ModelSpec") -> "Controls":
    """What was asked of the take whose files stems are; nothing if they are of no take."""
    from msdm_cli.errors import MsdmError
    from msdm_cli.jobs.stem_folder import open_stem_folder
    from msdm_cli.tasks.controls import Controls

    folders = {path.parent for path in stems.values()}
    try:
        opened = open_stem_folder(folders.pop())
    except MsdmError:  # several songs, or a description of something else
        return Controls()
    if folders or not set(stems.values()) <= set(opened.stems.values()):
        return Controls()
    # Which stems play is for an imputation to say.
    return replace(_read_controls(opened, spec), playing=())


def _read_controls(opened: "StemFolder", spec: "ModelSpec") -> "Controls":
    """What was asked of stems, by their manifest."""
    from msdm_cli.tasks.controls import Controls

    options = opened.manifest.parse_request().options if opened.manifest else None
    told = getattr(options, "controls", Controls())
    if opened.manifest and told.tempo and told.first_beat is None:
        # The tempo was asked for, but where its beats lie was heard.
        told = replace(told, first_beat=opened.manifest.facts.heard.first_beat)
    if len(told.playing) != len(spec.stems):  # those of another model
        told = replace(told, playing=())
    return told


def inherit(asked: "Controls", told: "Controls") -> "Controls":
    """What is asked for, and otherwise what the music was told before."""
    same = asked.tempo in (None, told.tempo)
    return replace(
        asked,
        tempo=asked.tempo or told.tempo,
        meter=told.meter if same and not asked.style else asked.meter,
        first_beat=told.first_beat if same else None,
        key=asked.key or told.key,
        style=asked.style or told.style,
        playing=asked.playing or told.playing,
    )
