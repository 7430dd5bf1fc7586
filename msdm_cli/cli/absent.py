"""Stems that a song does not have, on the command line."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.model_options import check_stems
from msdm_cli.cli.option_checks import split_names
from msdm_cli.cli.options import RESULTS
from msdm_cli.errors import MissingTask

if TYPE_CHECKING:
    from msdm_cli.audio.mix import Gains
    from msdm_cli.diffusion.samplers import Preset
    from msdm_cli.models.spec import ModelSpec

OPTION = "--absent"

AbsentOption = Annotated[
    list[str] | None,
    typer.Option(
        OPTION,
        metavar="STEM,...",
        callback=split_names,
        rich_help_panel=RESULTS,
        help="Stems that the song does not have, such as piano. They are not written, no guitar is "
        "called a piano, and the other stems sum to the song.",
    ),
]


def choose_absent(
    names: Sequence[str] | None, spec: "ModelSpec", preset: "Preset"
) -> tuple[str, ...]:
    """Each absent stem once, in the order of the model: their order makes no other job.

    Raises:
        BadParameter: The model has no stem of that name, or all its stems are absent.
        MissingPreset: The model cannot be told that a stem is absent, or not by that sampler.
    """
    from msdm_cli.cli.hints import hinted
    from msdm_cli.tasks.absent import check_tellable, list_present

    if not names:
        return ()
    with hinted({MissingTask: "Leave out --absent, or choose another --model."}):
        check_tellable(spec, preset)
    present = list_present(spec, check_stems(names, spec, OPTION))
    if not present:
        raise typer.BadParameter(
            "all stems are named; leave out those that the song has", param_hint=OPTION
        )
    return tuple(stem for stem in spec.stems if stem not in present)


def check_wanted(
    absent: Collection[str], stems: Collection[str], mixes: "Collection[Gains]"
) -> None:
    """Refuse absent stems that shall be written, or that have gains.

    Raises:
        BadParameter: There is one.
    """
    for stem in absent:
        if stem in stems:
            raise typer.BadParameter(
                f"{stem} is in --stems, too; leave it out of one", param_hint=OPTION
            )
        if any(stem in gains for gains in mixes):
            raise typer.BadParameter(
                f"{stem} is in --mix or --without, too; leave it out of one", param_hint=OPTION
            )
