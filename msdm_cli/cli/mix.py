"""``msdm mix``."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.console import print_line, say, show_json
from msdm_cli.cli.gains import MixOption, WithoutOption, parse_mixes
from msdm_cli.cli.option_checks import check_here
from msdm_cli.cli.options import (
    RESULTS,
    JsonSummaryOption,
    OverwriteOption,
    QuietOption,
    SubtypeOption,
)

if TYPE_CHECKING:
    from msdm_cli.jobs.stem_folder import StemFolder


def mix(  # noqa: PLR0913  an option each
    stems: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            callback=check_here,
            help="A folder of stems, or the msdm.json in it.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            callback=check_here,
            rich_help_panel=RESULTS,
            help="The file to write; its suffix is its format. By default DIR/mix.wav, or "
            "DIR/without-drums.wav, with the song's name before it where stems have it.",
        ),
    ] = None,
    *,
    without: WithoutOption = None,
    gains: MixOption = None,
    subtype: SubtypeOption = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    as_json: JsonSummaryOption = False,
) -> None:
    """Mix stems that are there, with a gain for each.

    A mix beyond full scale is made softer as a whole, and the command says by how much. It also
    says which stems of the song the folder lacks.

    \b
    Examples:
      msdm mix stems/song --without drums
      msdm mix stems/song --gains drums=-6dB,guitar=0 -o remix.flac
    """  # noqa: D301  \b keeps the lines of the examples
    from msdm_cli.audio.mix import MIX
    from msdm_cli.cli.hints import Hint, hinted
    from msdm_cli.errors import (
        MissingStems,
        MissingSubtype,
        MsdmError,
        ReplacesInput,
        ResultsExist,
        UnsuitableFormat,
    )
    from msdm_cli.jobs.mix import mix_stems
    from msdm_cli.jobs.stem_folder import open_stem_folder

    mixes = parse_mixes(without, gains)
    if len(mixes) > 1:
        raise typer.BadParameter("one of --without and --gains, not both", param_hint="--without")
    name, factors = next(iter(mixes.items()), (MIX, {}))
    hints: dict[type[MsdmError], Hint] = {
        ResultsExist: "Say --overwrite to replace it, or name another file with -o.",
        ReplacesInput: "Name another file with -o.",
        MissingStems: lambda error: error.remedy,
        MissingSubtype: lambda error: error.remedy,
        UnsuitableFormat: lambda error: error.remedy,
    }
    with hinted(hints):
        opened = open_stem_folder(stems)
        unwritten = _list_unwritten(opened)
        lacks = [stem for stem in unwritten if factors.get(stem) != 0]
        # A stem that the folder lacks is left out already.
        there = {stem: gain for stem, gain in factors.items() if gain or stem not in unwritten}
        minus_one = bool(factors) and not any(factors.values())
        if lacks and minus_one and all(stem in opened.stems for stem in there):
            raise MissingStems(
                f"{stems}: lacks {', '.join(lacks)} of the song, and so would the mix",
                f"Separate the song again, with --without {','.join(factors)}.",
            )
        path = _choose_path(output, opened.stems, opened.place_mix(name))
        mixed = mix_stems(opened.stems, there, path, subtype=subtype, overwrite=overwrite)
    if as_json:
        show_json({**dataclasses.asdict(mixed), "lacks": lacks})
        return
    if lacks and not quiet:
        say(f"{mixed.path}: lacks {', '.join(lacks)} of the song, as the folder does")
    if mixed.gain_db and not quiet:
        say(f"{mixed.path}: {mixed.gain_db:.2f} dB, so that it does not clip")
    if not quiet:
        print_line(str(mixed.path))


def _list_unwritten(opened: "StemFolder") -> list[str]:
    """Stems of the song that were not written, as far as its model is still there to tell."""
    from msdm_cli.cli.model_options import find_spec
    from msdm_cli.errors import MsdmError

    if opened.manifest is None:
        return []
    try:
        return opened.list_unwritten(find_spec(opened.manifest.parse_request().model).stems)
    except MsdmError:
        return []


def _choose_path(asked: Path | None, stems: dict[str, Path], usual: Path) -> Path:
    """What was asked for; else beside the stems, in their format if msdm writes it.

    Raises:
        BadParameter: The suffix is of no format that msdm writes.
    """
    from msdm_cli.audio.formats import FORMATS, writable_formats

    suffixes = [FORMATS[name].suffix for name in writable_formats()]
    if asked is not None:
        if asked.suffix.lower() not in suffixes:
            raise typer.BadParameter(
                f"{asked} does not end in one of {', '.join(suffixes)}", param_hint="-o"
            )
        return asked
    suffix = next((path.suffix for path in stems.values() if path.suffix in suffixes), suffixes[0])
    return usual.with_name(usual.name + suffix)
