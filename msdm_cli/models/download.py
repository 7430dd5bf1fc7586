"""Fetching an archive.

An interrupted download resumes, if the server says that it still has the same file. The file has
its final name only when it is complete.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from msdm_cli.errors import DownloadFailed
from msdm_cli.models.google_drive import find_confirmed
from msdm_cli.models.part_file import PartFile, Version
from msdm_cli.models.web import BROKEN, Answer, RefusedAnswer, ask
from msdm_cli.progress import Progress, report_skipped

RETRIES = 5
"""How many failures in a row are tried again, once something has come."""
ENOUGH_BYTES = 1 << 20
"""A connection that has brought this much is no failure in that row."""

LONGEST_PAUSE_SECONDS = 30.0
BLOCK_BYTES = 1 << 18
MOST_BYTES = 1 << 36
"""No archive comes near to 64 GiB."""

OK = 200
PARTIAL = 206
UNFIT = 416
"""There is no such part: the file was longer before."""
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Statuses of a server that may answer otherwise later."""


def fetch_archive(url: str, path: Path, progress: Progress) -> Path:
    """Fetch a file. Only one process at a time may fetch to a path.

    Args:
        url: Address, of Google Drive or elsewhere.
        path: Receives the file.
        progress: Receives the number of bytes.

    Raises:
        DownloadFailed: It cannot be fetched. The next call resumes from the part that was fetched.
    """
    failures = 0
    began = False
    while True:
        came = 0
        try:
            with PartFile(path, url) as file:
                for size in _fetch(file, progress):
                    came += size
                file.complete()
        except (RefusedAnswer, *BROKEN) as error:
            failures = 1 if came >= ENOUGH_BYTES else failures + 1
            began = began or came > 0
            lasting = isinstance(error, RefusedAnswer) or _is_local(error)
            if lasting or not began or failures > RETRIES:
                raise _failed(url, path, error) from error
            time.sleep(min(2.0**failures, LONGEST_PAUSE_SECONDS))
        else:
            return path


def _is_local(error: BaseException) -> bool:
    """Whether this machine is the reason: its disk, or rights on it."""
    return isinstance(error, OSError) and error.filename is not None


def _failed(url: str, path: Path, error: Exception) -> DownloadFailed:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    remedy = f"Try again, which resumes, or download it in a browser to {path} first."
    if _is_local(error):
        remedy = "Free space there, or set MSDM_CACHE to a folder that can be written."
    return DownloadFailed(f"{url}: cannot be fetched ({reason})", remedy)


def _fetch(file: PartFile, progress: Progress) -> Iterator[int]:
    """Fetch what is missing of a file, block by block.

    Yields:
        How many bytes have come.

    Raises:
        RefusedAnswer, OSError, HTTPException, ValueError: It did not come to its end.
    """
    known = file.version
    if known and file.can_continue:
        headers = {"Range": f"bytes={file.size}-"}
        if known.validator:
            headers["If-Range"] = known.validator
        with _ask_for_file(file.url, headers) as answer:
            continues = answer.status == PARTIAL and _continues(answer, file.size, known)
            # With the status OK, this is the whole file: that of before has changed.
            if continues or answer.status == OK:
                yield from _receive(answer, file, progress, anew=not continues)
                return
    with _ask_for_file(file.url, {}) as answer:
        if answer.status != OK:
            raise RefusedAnswer(f"the server answers with status {answer.status}")
        yield from _receive(answer, file, progress, anew=True)


def _receive(answer: Answer, file: PartFile, progress: Progress, *, anew: bool) -> Iterator[int]:
    """Add the body of an answer to a file; from its beginning if ``anew``."""
    if anew:
        file.begin(Version(file.url, answer.length, *_list_marks(answer)))
    total = file.version.length if file.version else None
    progress.start(file.path.name, total or 0, "bytes")
    report_skipped(progress, file.size)
    while block := answer.read(BLOCK_BYTES):
        if file.size + len(block) > MOST_BYTES:
            raise RefusedAnswer(f"more than {MOST_BYTES >> 30} GiB")
        file.append(block)
        progress.advance(len(block))
        yield len(block)
    if total is not None and file.size != total:
        raise ValueError(f"{file.size} of {total} bytes have come")


@contextlib.contextmanager
def _ask_for_file(url: str, headers: dict[str, str]) -> Iterator[Answer]:
    """Ask for a file, through the page that Google Drive shows before it.

    Raises:
        RefusedAnswer: The server does not give it.
        OSError, HTTPException, ValueError: The server does not answer, or is busy.
    """
    with contextlib.ExitStack() as stack:
        answer = stack.enter_context(ask(url, headers))
        confirmed = find_confirmed(answer)
        if confirmed:
            stack.close()
            answer = stack.enter_context(ask(confirmed, headers))
            if find_confirmed(answer):
                raise RefusedAnswer("Google Drive asks twice")
        if answer.status in BUSY:
            raise ConnectionError(f"the server answers with status {answer.status}")
        if answer.status not in (OK, PARTIAL, UNFIT):
            raise RefusedAnswer(f"the server answers with status {answer.status}")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise RefusedAnswer("the server compresses the file")
        yield answer


def _list_marks(answer: Answer) -> tuple[str, str, str]:
    """What tells a file from another one: ETag, date, and Google's checksum."""
    names = ("ETag", "Last-Modified", "x-goog-hash")
    etag, date, digest = (answer.headers.get(name, "") for name in names)
    return etag, date, digest


def _continues(answer: Answer, offset: int, known: Version) -> bool:
    """Whether an answer is all that is missing of a file, and of the same file."""
    same = _list_marks(answer) == (known.etag, known.last_modified, known.digest)
    rest = f"bytes {offset}-{(known.length or 0) - 1}/{known.length}"
    return same and answer.headers.get("Content-Range") == rest
