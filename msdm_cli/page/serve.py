"""A small server for pages: of one folder, for a browser that sees no disk of this machine."""

import os
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit

from msdm_cli.page.place import is_ours

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".oga": "audio/ogg",
    ".aac": "audio/aac",
    ".wma": "audio/x-ms-wma",
    ".aif": "audio/aiff",
    ".aifc": "audio/aiff",
    ".aiff": "audio/aiff",
    ".caf": "audio/x-caf",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
}
"""What is served, by suffix; of ``.html`` only our own pages."""

BLOCK_BYTES = 1 << 18
LOOPBACK = ("127.0.0.1", "localhost", "::1")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
"""RFC 9110, 14.1.2; several ranges at once are answered with the whole file."""


class PageServer(ThreadingHTTPServer):
    """Serves pages and their sounds, and nothing else.

    Args:
        folder: Nothing outside of it is served.
        page: The page at ``/``.
        host: Address to listen at.
        port: 0 takes one that is free.
    """

    daemon_threads = True

    def __init__(self, folder: Path, page: Path, host: str = LOOPBACK[0], port: int = 0) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.page = page
        self.is_local = host in LOOPBACK
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a request that is none: the terminal belongs to the person."""

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def locate(self, address: str) -> Path | None:
        """The file that an address means; None if there is none, or it is not for everybody."""
        name = os.fsdecode(unquote_to_bytes(urlsplit(address).path.lstrip("/")))
        if "\0" in name:
            return None
        path = self.page if not name else self.folder / name
        real = Path(os.path.realpath(path))
        inside = real.is_relative_to(self.folder) and real.is_file()
        known = path.suffix.lower() in TYPES and not path.name.startswith(".")
        if not (inside and known):
            return None
        return real if path.suffix.lower() != ".html" or is_ours(real) else None


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a file, or a part of it."""
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        """Send what a GET would send, without the file."""
        self._answer(with_content=False)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal belongs to the person."""

    def _answer(self, *, with_content: bool) -> None:
        # A page of somebody else could let its own name point here, and read what is served.
        host = (urlsplit(f"//{self.headers.get('Host', '')}").hostname or "").lower()
        if self.server.is_local and host not in LOOPBACK:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        path = self.server.locate(self.path)
        try:
            file = None if path is None else path.open("rb")
        except OSError:
            file = None
        if file is None or path is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with file:
            self._send(file, TYPES[path.suffix.lower()], with_content=with_content)

    def _send(self, file: BinaryIO, kind: str, *, with_content: bool) -> None:
        size = os.fstat(file.fileno()).st_size
        part = find_part(self.headers.get("Range", ""), size)
        first, count = part or (0, size)
        if part and not count:
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
        if part:
            self.send_header("Content-Range", f"bytes {first}-{first + count - 1}/{size}")
        headers = {
            "Content-Type": kind,
            "Content-Length": str(count),
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_content:
            self._copy(file, first, count)

    def _copy(self, file: BinaryIO, first: int, count: int) -> None:
        file.seek(first)
        try:
            while count:
                block = file.read(min(count, BLOCK_BYTES))
                if not block:  # the file has become shorter
                    self.close_connection = True
                    return
                self.wfile.write(block)
                count -= len(block)
        except OSError:  # the browser has heard enough
            self.close_connection = True

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def find_part(header: str, size: int) -> tuple[int, int] | None:
    """Where a part begins, and how many bytes it has: 0 if it lies outside; None for all."""
    found = RANGE.fullmatch(header.strip())
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        count = min(int(found[2]), size)
        return size - count, count
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    return first, max(0, last - first + 1)
