"""Answers of web servers that nobody vouches for: bounded in time, in size, and in redirects.

The standard library reads the whole body of a redirect, and waits as long as anything comes, be it
a byte a minute. Here a redirect is followed without its body, and a connection that brings too
little in a while is ended.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import certifi

TIMEOUT_SECONDS = 60.0
WATCH_SECONDS = 60.0
LEAST_BYTES = 60_000
"""A connection that brings less in ``WATCH_SECONDS`` is ended: 1 kB/s is slower than any modem."""

MOST_REDIRECTS = 10
REDIRECTS = (301, 302, 303, 307, 308)
HEADERS = {"User-Agent": "Mozilla/5.0 (msdm)", "Accept-Encoding": "identity"}

BROKEN = (OSError, http.client.HTTPException, ValueError)
"""Errors of a connection; ValueError is that of a header or an address that does not parse."""


class RefusedAnswer(Exception):
    """The server has answered, and asking again would change nothing."""


class Watch:
    """Ends a connection that brings too little. Entered, it watches until it is left.

    Attributes:
        connection: What is watched, once it is there.
        count: Bytes that have come so far.
        late: Whether the connection was ended.
    """

    def __init__(self) -> None:
        self.connection: socket.socket | None = None
        self.count = 0
        self.late = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        before = 0
        while not self._done.wait(WATCH_SECONDS):
            if self.count - before < LEAST_BYTES and self.connection is not None:
                self.late = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            before = self.count


class Answer:
    """What a server has answered.

    Args:
        response: The answer; its body was not read yet.
        url: Where it came from, after redirects.
        watch: Watches the connection.

    Attributes:
        status: Number of the status, such as 200.
        headers: Its headers.
        length: Length of the body in bytes; None if the server does not say.
        url: Where it came from.
    """

    def __init__(self, response: http.client.HTTPResponse, url: str, watch: Watch) -> None:
        self.status = response.status
        self.headers: http.client.HTTPMessage = response.headers
        self.length = response.length
        self.url = url
        self._response = response
        self._watch = watch

    def read(self, size: int) -> bytes:
        """The next bytes, as many as there are up to ``size``; none at the end.

        Raises:
            OSError: The connection brings too little, or has broken.
        """
        block = self._response.read1(size)
        self._watch.count += len(block)
        if not block and self._watch.late:
            raise TimeoutError(f"less than {LEAST_BYTES} bytes in {WATCH_SECONDS:g} s")
        return block


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Gives every answer back, redirects and errors too."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


@cache
def _make_context() -> ssl.SSLContext:
    """What connections of https are checked by."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # some systems have no certificates
    return context


def _make_opener(watch: Watch) -> urllib.request.OpenerDirector:
    """What opens addresses, over connections that are watched. It uses the system's proxies."""

    def watched(kind: type[http.client.HTTPConnection]) -> type[http.client.HTTPConnection]:
        class Connection(kind):  # type: ignore[misc, valid-type]
            def connect(self) -> None:
                super().connect()
                watch.connection = self.sock

        return Connection

    class Http(urllib.request.HTTPHandler):
        def http_open(self, request: Any) -> Any:
            return self.do_open(watched(http.client.HTTPConnection), request)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, request: Any) -> Any:
            return self.do_open(
                watched(http.client.HTTPSConnection), request, context=_make_context()
            )

    return urllib.request.build_opener(Http, Https, _AnyStatus)


@contextlib.contextmanager
def ask(url: str, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """Ask a server for a file, and follow its redirects.

    Args:
        url: Address, of http or https.
        headers: More headers.

    Raises:
        RefusedAnswer: There are too many redirects, or one leads away from https.
        OSError, HTTPException, ValueError: As ``BROKEN``: the connection, or what came through it.
    """
    with Watch() as watch:
        opener = _make_opener(watch)
        for _ in range(MOST_REDIRECTS + 1):
            asked = urllib.request.Request(url, headers={**HEADERS, **(headers or {})})
            watch.connection = None
            with opener.open(asked, timeout=TIMEOUT_SECONDS) as response:
                place = response.headers.get("Location")
                if response.status not in REDIRECTS or place is None:
                    yield Answer(response, url, watch)
                    return
            url = _follow(url, place)
    raise RefusedAnswer(f"more than {MOST_REDIRECTS} redirects")


def _follow(url: str, place: str) -> str:
    """The address that a redirect leads to."""
    found = urljoin(url, place)
    allowed = ("https",) if urlsplit(url).scheme == "https" else ("http", "https")
    if urlsplit(found).scheme not in allowed:
        raise RefusedAnswer(f"a redirect to {found[:200]}")
    return found
