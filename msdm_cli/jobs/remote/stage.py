"""A job whose inputs or results lie elsewhere, carried out with files of this machine.

Inputs are fetched first. Results that go elsewhere are made here, with their journal, and uploaded
when all are whole. So a job that is repeated on this machine continues, and one that is repeated on
another begins again.
"""

import contextlib
import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from msdm_cli.errors import JobRunning, MsdmError, UnwritableResults
from msdm_cli.jobs.done import find_result
from msdm_cli.jobs.remote.addresses import has_address, is_address, to_address
from msdm_cli.jobs.remote.delivery import Delivery, name_places
from msdm_cli.jobs.remote.storage import fetch
from msdm_cli.jobs.request import JobRequest
from msdm_cli.jobs.result import JobResult
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
            result = run(local)
            if local is not request and not result.skipped:
                name_places(result.manifest, request)
            return result
        result = _deliver(Delivery(request, local), local, run)
        shutil.rmtree(local.folder, ignore_errors=True)
        return result


def _deliver(delivery: Delivery, local: JobRequest, run: Run) -> JobResult:
    """What was uploaded before, or is made and uploaded now."""
    done = delivery.find_done()
    if done is not None:
        return done
    delivery.check_vacant()
    # What lies in the cache is of this very job, or of one that nobody asks for any more.
    made = find_result(dataclasses.replace(local, overwrite=False))
    return delivery.upload(run(dataclasses.replace(local, overwrite=made is None)))


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
    with _lock(folder, to_address(request.manifest.parent)):
        try:
            fetched = {role: _fetch(path, folder, role) for role, path in request.inputs.items()}
            results = folder / "results" if is_address(request.folder) else request.folder
            with _naming(fetched, request.inputs):
                yield dataclasses.replace(request, inputs=fetched, folder=results)
        finally:
            shutil.rmtree(folder / "inputs", ignore_errors=True)
            # What was drawn stays: the same job goes on from there.
            for empty in (folder / "results", folder):
                with contextlib.suppress(OSError):  # it is not empty
                    empty.rmdir()


@contextlib.contextmanager
def _lock(folder: Path, results: str) -> Iterator[None]:
    """Keep other processes of this machine from the same job."""
    place = folder.with_suffix(".lock")
    lock = FileLock(place)
    try:
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
            if place.exists():
                break
            lock.release()  # another process has just removed it
    except Timeout as error:
        raise JobRunning(
            f"{results}: another msdm writes the same results",
            "Wait for it, or choose another folder.",
        ) from error
    except OSError as error:
        raise UnwritableResults(
            f"{folder}: cannot be written ({error})", "Make room on the disk of the cache."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file
            place.unlink()
        lock.release()


@contextlib.contextmanager
def _naming(fetched: Mapping[str, Path], inputs: Mapping[str, Path]) -> Iterator[None]:
    """Errors name inputs as a person did, and not the copies of them."""
    try:
        yield
    except MsdmError as error:
        for role, path in fetched.items():
            error.message = error.message.replace(str(path), to_address(inputs[role]))
        error.args = (error.message,)
        raise


def _fetch(path: Path, folder: Path, role: str) -> Path:
    """An input as a file of this machine, with its own name: stems are known by it."""
    if not is_address(path):
        return path
    target = folder / "inputs" / role / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    fetch(path, target)
    return target
