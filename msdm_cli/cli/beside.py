"""What is made beside results: a page for each job, and one that compares takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.display import Display
from msdm_cli.cli.option_checks import check_here, choose_from, complete
from msdm_cli.cli.options import RESULTS, show_choices
from msdm_cli.cli.system_errors import describe_failure
from msdm_cli.errors import FAILURES
from msdm_cli.jobs.remote.addresses import is_address

if TYPE_CHECKING:
    from msdm_cli.jobs.result import JobResult

PROJECTS = ("reaper",)


def _check_notes(asked: bool) -> bool:
    """Refuse to begin without what finds the notes at the end."""
    if asked:
        from msdm_cli.midi.notes import find_network

        find_network()
    return asked


PageOption = Annotated[
    bool,
    typer.Option(
        "--page/--no-page",
        rich_help_panel=RESULTS,
        help="Write index.html beside the results: a player with solo, mute, loop and pictures.",
    ),
]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project",
        metavar=show_choices(PROJECTS),
        callback=choose_from(lambda: PROJECTS),
        autocompletion=complete(lambda: PROJECTS),
        rich_help_panel=RESULTS,
        help="Write a project beside the results, with the files as tracks.",
    ),
]
MidiOption = Annotated[
    bool,
    typer.Option(
        "--midi",
        callback=_check_notes,
        rich_help_panel=RESULTS,
        help="Write the notes of new stems beside them, as MIDI. It needs pip install --no-deps "
        "basic-pitch==0.4.0.",
    ),
]


TableOption = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        callback=check_here,
        rich_help_panel=RESULTS,
        help="Write a table of all songs: state, speed, machine, error.",
    ),
]


@dataclass(frozen=True)
class Beside:
    """What is made beside results. If it fails, the results are still there: it is said, no more.

    Attributes:
        display: Says what fails.
        page: Whether to make pages.
        project: A name in ``PROJECTS``, for a project of each job.
        midi: Whether to write the notes of new stems.
        table: File for a table of all jobs.
    """

    display: Display
    page: bool = True
    project: str | None = None
    midi: bool = False
    table: Path | None = None

    def add(self, result: "JobResult") -> tuple[Path, ...]:
        """Make what belongs beside results; beside those that were there, what is missing."""
        makers = {
            "page": self._make_page if self.page else self._remove_page,
            "project": self._make_project if self.project else None,
            "MIDI": self._make_notes if self.midi else self._remove_notes,
        }
        return tuple(
            path
            for what, make in makers.items()
            if make is not None
            for path in self._try(what, partial(make, result))
        )

    def compare(self, results: "Sequence[JobResult]") -> tuple[Path, ...]:
        """Make the page that compares takes, if there are several in the folders of one folder.

        After one take alone, a page that is there is made again: it would lack the new take.
        """
        folders = {result.manifest.parent.parent for result in results}
        if not self.page or len(folders) != 1:
            return ()
        (folder,) = folders
        if is_address(folder):
            return ()  # the takes are not on this machine
        new = any(not result.skipped for result in results)
        return self._try(
            "page", lambda: self._make_gallery(folder, new=new, alone=len(results) == 1)
        )

    def _make_page(self, result: "JobResult") -> tuple[Path, ...]:
        from msdm_cli.page.place import compares_takes, is_ours, place_page

        place = place_page(result.manifest)
        # A command that was stopped before its page makes it when it is repeated.
        if result.skipped and is_ours(place) and not compares_takes(place):
            return (place,)
        from msdm_cli.page.write import write_page

        return (write_page(result.manifest),)

    def _remove_page(self, result: "JobResult") -> tuple[Path, ...]:
        """Remove the page of results that were replaced: it would show what is no longer there."""
        from msdm_cli.page.place import is_ours, place_page

        place = place_page(result.manifest)
        if not result.skipped and is_ours(place):
            place.unlink()
        return ()

    def _make_gallery(self, folder: Path, *, new: bool, alone: bool) -> tuple[Path, ...]:
        from msdm_cli.page.place import compares_takes
        from msdm_cli.page.write import place_gallery, write_gallery

        place = place_gallery(folder)
        if (not new and place.exists()) or (alone and not compares_takes(place)):
            return ()
        return (write_gallery(folder),)

    def _make_project(self, result: "JobResult") -> tuple[Path, ...]:
        from msdm_cli.jobs.reaper import find_reaper_project, write_reaper_project

        project = find_reaper_project(result.manifest)
        if project is not None and not result.skipped:
            self.display.say(
                f"{project}: is of the results that were replaced, and stays. Move or remove it, "
                "and repeat the command for a new one."
            )
            return ()
        return (write_reaper_project(result.manifest),)

    def _make_notes(self, result: "JobResult") -> tuple[Path, ...]:
        from msdm_cli.jobs.transcribe import write_notes

        # First of all: if finding the new notes fails or is stopped, the old ones must not stay.
        self._remove_notes(result)
        return write_notes(result.manifest)

    def _remove_notes(self, result: "JobResult") -> tuple[Path, ...]:
        """Remove the notes of stems that were replaced: they are of other music."""
        from msdm_cli.jobs.transcribe import remove_notes

        if not result.skipped:
            remove_notes(result.manifest)
        return ()

    def _try(self, what: str, make: Callable[[], tuple[Path, ...]]) -> tuple[Path, ...]:
        try:
            return make()
        except FAILURES as error:
            failure = describe_failure(error)
            self.display.say(f"no {what}: {failure.message}. {failure.remedy}")
            return ()
