"""Fetching an archive.

An interrupted download resumes. The file has its final name only when it is complete.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from msdm_cli.errors import DownloadFailed
from msdm_cli.progress import Progress

RETRIES = 5
TIMEOUT_SECONDS = 60.0


def fetch_archive(url: str, path: Path, progress: Progress) -> Path:
    """Fetch a file, unless it is there already.

    One process at a time fetches it; the others wait and then find it.

    Args:
        url: Address, of Google Drive or elsewhere.
        path: Receives the file.
        progress: Receives the number of bytes.

    Raises:
        DownloadFailed: It cannot be fetched. The next call resumes from the part that was fetched.
    """
    with _translated(url, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.exists():
                _download(url, path, progress)
    return path


def _download(url: str, path: Path, progress: Progress) -> None:
    import gdown

    done = -1

    def report(bytes_so_far: int, total: int | None) -> None:
        nonlocal done
        if done < 0:
            done = 0
            progress.start(path.name, total or 0, "bytes")
        progress.advance(bytes_so_far - done)
        done = bytes_so_far

    gdown.download(
        url=url,
        output=str(path),
        quiet=True,
        use_cookies=False,
        resume=True,
        progress=report,
        timeout=TIMEOUT_SECONDS,
        retries=RETRIES,
    )


@contextlib.contextmanager
def _translated(url: str, path: Path) -> Iterator[None]:
    """Translate the errors of gdown and of requests."""
    import gdown.exceptions
    import requests

    try:
        yield
    except (gdown.exceptions.DownloadError, requests.RequestException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DownloadFailed(
            f"{url}: cannot be fetched ({reason})",
            f"Try again, which resumes, or download it in a browser to {path} first.",
        ) from error
