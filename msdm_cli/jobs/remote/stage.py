"""A job whose inputs or results lie elsewhere, carried out with files of this machine.

Inputs are fetched first. Results that go elsewhere are made here, with their journal, and uploaded
when all are whole: under temporary names first, which they lose together, the description last. So
a job that is repeated on this machine continues, and one that is repeated on another begins again.
"""

import contextlib
import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from msdm_cli.errors import JobRunning, ResultsError, ResultsExist, UnwritableResults
from msdm_cli.jobs.done import find_result
from msdm_cli.jobs.manifest import load_manifest
from msdm_cli.jobs.remote.addresses import has_address, is_address, to_address
from msdm_cli.jobs.remote.storage import Folder, fetch
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult
from msdm_cli.models.description import describe_model
from msdm_cli.models.registry import cache_folder

STAGES = "remote"
"""Folder in the cache, with a folder for each job that is not done."""

Run = Callable[[JobRequest], JobResult]


def run_staged(request: JobRequest, run: Run) -> JobResult:
    """Run a job, wherever its inputs and results lie.

    Args:
        request: The job.
        run: Runs a job whose inputs and results are files of this machine, and makes all that
            belongs beside its results.

    Raises:
        MsdmError: As ``run``; or an input cannot be fetched, or results not be uploaded.
    """
    with stage(request) as local:
        if not is_address(request.folder):
            return run(local)
        delivery = _Delivery(request, local)
        done = delivery.find_done()
        if done is not None:
            return done
        delivery.check_vacant()
        result = run(local)
        delivery.upload()
        return _rename(result, request, local)


@contextlib.contextmanager
def stage(request: JobRequest) -> Iterator[JobRequest]:
    """The same job with inputs that were fetched, and results of this machine.

    A job of this machine alone is what it was.

    Raises:
        UnreadableAudio: An input cannot be fetched.
        JobRunning: Another process does this very job.
        UnwritableResults: The cache cannot be written.
    """
    if not has_address(request.inputs, request.folder):
        yield request
        return
    key = hashlib.sha256(to_address(request.manifest).encode("utf-8", "surrogateescape"))
    folder = cache_folder() / STAGES / key.hexdigest()[:32]
    with _lock(folder):
        try:
            fetched = {role: _fetch(path, folder, role) for role, path in request.inputs.items()}
            results = folder / "results" if is_address(request.folder) else request.folder
            yield dataclasses.replace(request, inputs=fetched, folder=results)
        except BaseException:
            # What was drawn stays: the same job goes on from there.
            shutil.rmtree(folder / "inputs", ignore_errors=True)
            with contextlib.suppress(OSError):  # something was
                folder.rmdir()
            raise
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise JobRunning(
            f"{folder}: another msdm does the same job", "Wait for it, or choose another folder."
        ) from error
    except OSError as error:
        raise UnwritableResults(
            f"{folder}: cannot be written ({error})", "Make room on the disk of the cache."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file
            Path(lock.lock_file).unlink()
        lock.release()


def _fetch(path: Path, folder: Path, role: str) -> Path:
    """An input as a file of this machine, with its own name: stems are known by it."""
    if not is_address(path):
        return path
    target = folder / "inputs" / role / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    fetch(path, target)
    return target


def _rename(result: JobResult, request: JobRequest, local: JobRequest) -> JobResult:
    """A result as it is called where it lies."""

    def place(path: Path) -> Path:
        inside = path.is_relative_to(local.folder)
        return request.folder / path.relative_to(local.folder) if inside else path

    return dataclasses.replace(
        result,
        files={name: place(path) for name, path in result.files.items()},
        manifest=place(result.manifest),
        beside=tuple(map(place, result.beside)),
    )


class _Delivery:
    """Brings results to an address.

    Args:
        request: The job.
        local: The same job, whose results are files of this machine.
    """

    def __init__(self, request: JobRequest, local: JobRequest) -> None:
        self._request = request
        self._local = local
        self._folder = Folder(request.folder)
        # Says that files there are of an upload that was interrupted, and may be replaced.
        self._marker = request.journal

    def find_done(self) -> JobResult | None:
        """What an earlier run has uploaded, if it is all there.

        Raises:
            ResultsError: The storage does not answer, or refuses.
        """
        request = self._request
        if request.overwrite or self._folder.find_size(request.manifest) is None:
            return None
        seen = dataclasses.replace(self._local, folder=self._local.folder.with_name("seen"))
        try:
            seen.manifest.parent.mkdir(parents=True, exist_ok=True)
            seen.manifest.write_bytes(self._folder.read(request.manifest))
            self._pretend(seen.manifest)
            found = find_result(seen)
        finally:
            shutil.rmtree(seen.folder, ignore_errors=True)
        return None if found is None else _rename(found, request, seen)

    def _pretend(self, manifest: Path) -> None:
        """Put empty files of the right sizes where a manifest has results: no more is looked at."""
        with contextlib.suppress(ResultsError):  # it is no manifest
            for record in load_manifest(manifest).files.values():
                size = self._folder.find_size(record.locate(self._request.manifest.parent))
                if size is not None:
                    place = record.locate(manifest.parent)
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

    def upload(self) -> None:
        """Bring the results to their address.

        Raises:
            UnwritableResults: They cannot be written there. They stay here.
        """
        request, local = self._request, self._local
        described = dataclasses.replace(load_manifest(local.manifest), request=request.to_json())
        described.save(local.manifest)
        files = [path for path in sorted(local.folder.rglob("*")) if path.is_file()]
        files.sort(key=lambda path: path == local.manifest)
        places = [request.folder / path.relative_to(local.folder) for path in files]
        for place in places:
            self._folder.remove_stale(place)
        uploaded = [
            self._folder.upload(file, place) for file, place in zip(files, places, strict=True)
        ]
        self._folder.write(self._marker, b"msdm was replacing files here")
        self._folder.remove(request.manifest)
        for temporary, place in zip(uploaded, places, strict=True):
            self._folder.move(temporary, place)
        self._folder.remove(self._marker)
