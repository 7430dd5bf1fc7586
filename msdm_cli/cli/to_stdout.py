"""A stem of a song for the standard output."""

import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from msdm_cli.cli.display import Display
from msdm_cli.cli.outcome import show_bits, show_gain
from msdm_cli.cli.signals import temporary_folder
from msdm_cli.cli.streams import describe_lost_output, is_output_closed

if TYPE_CHECKING:
    from msdm_cli.jobs.request import JobRequest
    from msdm_cli.models.load import LoadedModel


def separate_to_stdout(
    name: str, request: "JobRequest", model: "LoadedModel", display: Display
) -> None:
    """Separate a song and write its stem to the standard output.

    Raises:
        MsdmError: The separation fails, or the standard output cannot be written to the end.
    """
    from msdm_cli.jobs.remote.stage import stage
    from msdm_cli.jobs.run import run_job

    if is_output_closed():
        raise describe_lost_output(OSError("it is closed"))
    with (
        temporary_folder() as folder,
        display,
        stage(replace(request, folder=folder)) as local,
    ):
        result = run_job(local, model, display.piece())
        if result.seed is not None:
            display.say(f"seed {result.seed}")
        show_gain(name, result, display)
        show_bits(name, result, display)
        (written,) = result.files.values()
        with written.open("rb") as file:
            try:
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            except OSError as error:
                raise describe_lost_output(error) from error
