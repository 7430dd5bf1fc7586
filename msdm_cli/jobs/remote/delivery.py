"""Results that were made on this machine, brought to their address.

They are uploaded under temporary names, which they lose together, the description last. A marker
says meanwhile that files there are of such an upload, and may be replaced.
"""

import contextlib
import dataclasses
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from msdm_cli.errors import ResultsError, ResultsExist, UnwritableAddress
from msdm_cli.jobs.done import find_result
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.remote.addresses import to_address
from msdm_cli.jobs.remote.storage import Folder
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult
from msdm_cli.models.description import describe_model
from msdm_cli.small_files import MOST_BYTES

log = logging.getLogger(__name__)


PLACES = ("inputs", "folder", "overwrite")
"""Fields of a request that are others while it is carried out."""


def name_places(manifest: Path, request: JobRequest) -> None:
    """Have a manifest name inputs and results where they lie, and not their copies.

    Raises:
        UnwritableResults: It cannot be written.
    """
    described = load_manifest(manifest)
    asked = request.to_json()
    named = {**described.request, **{field: asked[field] for field in PLACES}}
    dataclasses.replace(described, request=named).save(manifest)


class Delivery:
    """Brings results to an address.

    Args:
        request: The job.
        local: The same job, whose results are files of this machine.
    """

    def __init__(self, request: JobRequest, local: JobRequest) -> None:
        self._request = request
        self._local = local
        self._folder = Folder(request.folder)
        self._marker = request.journal

    def find_done(self) -> JobResult | None:
        """What an earlier run has uploaded, if it is all there.

        Raises:
            ResultsError: The storage does not answer, or refuses.
        """
        request = self._request
        size = None if request.overwrite else self._folder.find_size(request.manifest)
        if size is None or size > MOST_BYTES:
            return None
        seen = dataclasses.replace(self._local, folder=self._local.folder.with_name("seen"))
        try:
            seen.manifest.parent.mkdir(parents=True, exist_ok=True)
            seen.manifest.write_bytes(self._folder.read(request.manifest))
            self._pretend(seen)
            found = find_result(seen)
        finally:
            shutil.rmtree(seen.folder, ignore_errors=True)
        if found is None:
            return None
        # An upload that was killed at its very end leaves the marker beside complete results.
        with contextlib.suppress(UnwritableAddress):
            self._folder.remove(self._marker)
        return self._rename(found, seen)

    def _pretend(self, seen: JobRequest) -> None:
        """Put empty files of the right sizes where a manifest has results: no more is looked at.

        What a manifest from elsewhere has outside of its folder stays as it is.
        """
        folder = seen.manifest.parent
        with contextlib.suppress(ResultsError):  # it is no manifest
            for record in load_manifest(seen.manifest).files.values():
                place = Path(os.path.normpath(record.locate(folder)))
                if not place.is_relative_to(seen.folder):
                    continue
                size = self._folder.find_size(record.locate(self._request.manifest.parent))
                if size is not None:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with place.open("wb") as file:
                        file.truncate(size)

    def check_vacant(self) -> None:
        """Refuse to replace what is there, unless an upload was interrupted.

        Raises:
            ResultsExist: Something is there.
            ResultsError: The storage does not answer, or refuses.
        """
        request = self._request
        self._folder.check_writable(request.manifest)
        if request.overwrite or self._folder.find_size(self._marker) is not None:
            return
        spec = describe_model(request.model, request.runtime).spec
        names = request.row.name_outputs(spec, request.options)
        places = [request.output.place(request.folder, request.track, name) for name in names]
        for place in (*places, request.manifest):
            if self._folder.find_size(place) is not None:
                raise ResultsExist(
                    f"{to_address(place)}: is there already",
                    "Allow to replace it, or choose another folder.",
                )

    def upload(self, result: JobResult) -> JobResult:
        """Bring results to their address, and all that lies beside them; the results there.

        Raises:
            UnwritableResults: They cannot be written there. They stay here.
        """
        request, local = self._request, self._local
        name_places(local.manifest, request)
        there = [path for path in result.beside if not self._may_write(path)]
        files = [path for path in sorted(local.folder.rglob("*")) if path.is_file()]
        files = [path for path in files if path not in there]
        files.sort(key=lambda path: path == local.manifest)
        temporaries = self._upload({path: self._place(path, local) for path in files})
        self._folder.write(self._marker, b"msdm was replacing files here")
        self._folder.remove(request.manifest)
        for temporary, place in temporaries.items():
            self._folder.move(temporary, place)
        self._folder.remove(self._marker)
        beside = tuple(path for path in result.beside if path not in there)
        return self._rename(dataclasses.replace(result, beside=beside), local)

    def _upload(self, places: dict[Path, Path]) -> dict[Path, Path]:
        """Upload files; where each will lie, by its temporary name. If one fails, none stays."""
        self._folder.remove_stale(places.values())
        temporaries: dict[Path, Path] = {}
        try:
            for file, place in places.items():
                temporaries[self._folder.upload(file, place)] = place
        except BaseException:
            self._remove(temporaries)
            raise
        return temporaries

    def _remove(self, paths: Iterable[Path]) -> None:
        for path in paths:
            with contextlib.suppress(UnwritableAddress):
                self._folder.remove(path)

    def _may_write(self, path: Path) -> bool:
        """Whether what was made beside the results replaces nothing, or may do so."""
        place = self._place(path, self._local)
        if self._request.overwrite or self._folder.find_size(place) is None:
            return True
        log.info("%s: is there already, and stays as it is", to_address(place))
        return False

    def _place(self, path: Path, local: JobRequest) -> Path:
        """The address of a file of this machine."""
        inside = path.is_relative_to(local.folder)
        return self._request.folder / path.relative_to(local.folder) if inside else path

    def _rename(self, result: JobResult, local: JobRequest) -> JobResult:
        """A result as it is called where it lies."""
        return dataclasses.replace(
            result,
            files={name: self._place(path, local) for name, path in result.files.items()},
            manifest=self._place(result.manifest, local),
            beside=tuple(self._place(path, local) for path in result.beside),
        )
