"""What is made beside results: a page for each job, and one that compares takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msdm_cli.cli.display import Display
from msdm_cli.cli.options import RESULTS
from msdm_cli.cli.system_errors import describe_failure
from msdm_cli.errors import FAILURES

if TYPE_CHECKING:
    from msdm_cli.jobs.result import JobResult

PageOption = Annotated[
    bool,
    typer.Option(
        "--page/--no-page",
        rich_help_panel=RESULTS,
        help="Write index.html beside the results: a player with solo, mute, loop and pictures.",
    ),
]


@dataclass(frozen=True)
class Beside:
    """What is made beside results. If it fails, the results are still there: it is said, no more.

    Attributes:
        display: Says what fails.
        page: Whether to make pages.
    """

    display: Display
    page: bool = True

    def add(self, result: "JobResult") -> tuple[Path, ...]:
        """Make what belongs beside results that are new; find it beside those that were there."""
        return self._try(lambda: self._make_page(result)) if self.page else ()

    def compare(self, results: "Sequence[JobResult]") -> tuple[Path, ...]:
        """Make the page that compares takes, if there are several in the folders of one folder."""
        folders = {result.manifest.parent.parent for result in results}
        new = any(not result.skipped for result in results)
        if not (self.page and new and len(results) > 1 and len(folders) == 1):
            return ()
        return self._try(lambda: self._make_gallery(folders.pop()))

    def _make_page(self, result: "JobResult") -> tuple[Path, ...]:
        from msdm_cli.page.place import is_ours, place_page

        if result.skipped:
            place = place_page(result.manifest)
            return (place,) if is_ours(place) else ()
        from msdm_cli.page.write import write_page

        return (write_page(result.manifest),)

    def _make_gallery(self, folder: Path) -> tuple[Path, ...]:
        from msdm_cli.page.write import write_gallery

        return (write_gallery(folder),)

    def _try(self, make: Callable[[], tuple[Path, ...]]) -> tuple[Path, ...]:
        try:
            return make()
        except FAILURES as error:
            self.display.say(f"no page: {describe_failure(error).message}")
            return ()
