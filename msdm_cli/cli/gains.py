"""Gains of stems on the command line: ``drums=-6dB,guitar=0``."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.option_checks import split_names
from msdm_cli.cli.options import RESULTS

if TYPE_CHECKING:
    from msdm_cli.audio.mix import Gains

DECIBELS = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*db", re.IGNORECASE)

WithoutOption = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="STEM,...",
        callback=split_names,
        rich_help_panel=RESULTS,
        help="Write one file of all stems but these: without-drums.wav. In 16 and 24 bits, it and "
        "those stems sum to the song exactly.",
    ),
]
MixOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mix",
        "--gains",
        metavar="STEM=GAIN,...",
        callback=split_names,
        rich_help_panel=RESULTS,
        help="Write one file of all stems, mix.wav, with gains such as drums=-6dB,guitar=0. A "
        "number without dB is a factor: 0 mutes. A stem that is not named keeps its level.",
    ),
]


def parse_mixes(without: Sequence[str] | None, gains: Sequence[str] | None) -> "dict[str, Gains]":
    """The mixes that are asked for, by their names.

    Args:
        without: Stems to leave out.
        gains: ``stem=gain`` each.

    Raises:
        BadParameter: A gain is none, or a stem has two.
    """
    from msdm_cli.audio.mix import MIX, WITHOUT, check_gains

    mixes: dict[str, Gains] = {}
    if without:
        left_out = dict.fromkeys(without, 0.0)
        mixes[WITHOUT + "-".join(left_out)] = left_out
    if gains:
        parsed: dict[str, float] = {}
        for value in gains:
            stem, gain = _parse_gain(value)
            if stem in parsed:
                raise typer.BadParameter(f"{stem} has two gains", param_hint="--mix")
            parsed[stem] = gain
        try:
            check_gains(parsed)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--mix") from error
        mixes[MIX] = parsed
    return mixes


def _parse_gain(value: str) -> tuple[str, float]:
    """The stem and the factor of ``drums=-6dB`` or ``drums=0.5``."""
    stem, _, text = (part.strip() for part in value.partition("="))
    decibels = DECIBELS.fullmatch(text)
    try:
        gain = 10 ** (float(decibels[1]) / 20) if decibels else float(text)
    except (ValueError, OverflowError):
        gain = math.nan
    if not (stem and gain >= 0):
        raise typer.BadParameter(
            f"{value} is no gain: write drums=-6dB, drums=0.5 or drums=0", param_hint="--mix"
        )
    return stem, gain
