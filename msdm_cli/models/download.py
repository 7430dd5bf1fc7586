"""Fetching an archive: resumed where it broke off, never there under its final name before it is whole."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from msdm_cli.errors import DownloadFailed
from msdm_cli.progress import Progress

RETRIES = 5
TIMEOUT_SECONDS = 60.0


def fetch_archive(url: str, path: Path, progress: Progress) -> Path:
    """Fetch a file, unless it is there. One process at a time does it; the others wait and find it.

    Args:
        url: Where it is; a link to Google Drive, or any other.
        path: What it will be called.
        progress: Told of each byte.

    Raises:
        DownloadFailed: It cannot be fetched. What came lies beside ``path``, and the next call goes on from there.
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
    """Errors of gdown and of what it stands on become ours."""
    import gdown.exceptions
    import requests

    try:
        yield
    except (gdown.exceptions.DownloadError, requests.RequestException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DownloadFailed(
            f"{url}: cannot be fetched ({reason})",
            f"Say the same again to go on, or download it in a browser to {path} first.",
        ) from error
