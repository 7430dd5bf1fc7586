"""Fetching, from a server of our own."""

import contextlib
import http.server
import os
import re
import threading

import pytest

from msdm_cli.errors import DownloadFailed
from msdm_cli.models import download, web
from msdm_cli.models.download import fetch_archive
from msdm_cli.models.part_file import PartFile, was_fetched
from msdm_cli.progress import SilentProgress

CONTENT = bytes(range(256)) * 4096
OTHER = bytes(reversed(CONTENT))
BROKEN_OFF = 800_000
ETAG = {"ETag": '"one"'}
DATE = {"Last-Modified": "Sat, 28 Nov 2026 16:00:00 GMT"}
DIGEST = {"x-goog-hash": "crc32c=AAAAAA=="}


class Server(http.server.BaseHTTPRequestHandler):
    """Serves ``server.content`` with ranges. The answers that ``server.breaks`` counts break off.

    ``server.answers`` has answers of another kind by path: functions of this handler.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        answer = self.server.answers.get(self.path, Server.serve)
        answer(self)

    def serve(self):
        content = self.server.content
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        start = int(wanted[1]) if wanted else 0
        self.server.asked.append(start)
        if condition and condition not in self.server.marks.values():
            wanted, start = None, 0
        if start >= len(content):
            self.reply(416)
            return
        headers = {"Content-Length": len(content) - start, **self.server.marks}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.reply(206 if wanted else 200, **headers)
        breaks = self.server.breaks > 0
        self.server.breaks -= 1
        self.wfile.write(content[start : start + BROKEN_OFF if breaks else None])

    def reply(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.asked = []
        running.breaks = 0
        running.content = CONTENT
        running.marks = ETAG
        running.answers = {}
        running.done = threading.Event()
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        running.url = f"http://127.0.0.1:{running.server_address[1]}/archive.tar"
        yield running
        running.done.set()
        running.shutdown()
        thread.join()


def fetch(server, tmp_path):
    return fetch_archive(server.url, tmp_path / "a.tar", SilentProgress())


def break_off(server, tmp_path):
    """A run that gets a part of the file."""
    server.breaks = 1
    path = tmp_path / "a.tar"
    with PartFile(path, server.url) as file, pytest.raises(ValueError, match="have come"):
        list(download._fetch(file, SilentProgress()))
    assert not path.exists()
    server.asked.clear()


def test_a_file_is_fetched(server, tmp_path):
    path = fetch(server, tmp_path)
    assert path.read_bytes() == CONTENT
    assert was_fetched(path)
    assert {file.name for file in tmp_path.iterdir()} == {"a.tar", "a.tar.version.json"}


@pytest.mark.parametrize("marks", [ETAG, DATE, DIGEST, ETAG | DATE], ids=str)
def test_an_interrupted_download_resumes(server, tmp_path, marks):
    server.marks = marks
    server.breaks = 1
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [0, BROKEN_OFF]


def test_it_resumes_in_a_later_run(server, tmp_path):
    break_off(server, tmp_path)
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [BROKEN_OFF]


@pytest.mark.parametrize("before", [ETAG, DATE, DIGEST, ETAG | DATE], ids=str)
@pytest.mark.parametrize("length", [len(CONTENT), len(CONTENT) // 2, 2 * len(CONTENT)])
def test_two_versions_are_never_spliced(server, tmp_path, before, length):
    server.marks = before
    break_off(server, tmp_path)
    server.content = (OTHER * 2)[:length]
    server.marks = dict.fromkeys(before, "another")
    assert fetch(server, tmp_path).read_bytes() == server.content


def test_without_a_mark_it_begins_again(server, tmp_path):
    server.marks = {}
    break_off(server, tmp_path)
    server.content = OTHER
    assert fetch(server, tmp_path).read_bytes() == OTHER
    assert server.asked == [0]


def test_a_part_of_another_address_is_not_continued(server, tmp_path):
    break_off(server, tmp_path)
    server.content = OTHER
    server.url += "?other"
    assert fetch(server, tmp_path).read_bytes() == OTHER


def test_a_server_that_does_not_know_parts_begins_again(server, tmp_path):
    break_off(server, tmp_path)
    server.answers["/archive.tar"] = lambda self: (
        self.reply(200, **ETAG, **{"Content-Length": len(CONTENT)}),
        self.wfile.write(CONTENT),
    )
    assert fetch(server, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("content_range", ["bytes 0-9/1048576", "bytes 800000-9/1048576", "x", ""])
def test_a_part_that_does_not_fit_is_not_taken(server, tmp_path, content_range):
    break_off(server, tmp_path)

    def answer(self):
        if "Range" not in self.headers:
            Server.serve(self)
            return
        self.reply(206, **ETAG, **{"Content-Range": content_range, "Content-Length": 10})
        self.wfile.write(b"x" * 10)

    server.answers["/archive.tar"] = answer
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_damaged_note_of_the_version_begins_again(server, tmp_path):
    break_off(server, tmp_path)
    (tmp_path / "a.tar.version.json").write_bytes(b"[" * 100_000)
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.asked == [0]


def test_it_gives_up_when_nothing_more_comes(server, tmp_path):
    def answer(self):
        sent = 0 if "Range" in self.headers else 5
        total = len(CONTENT)
        headers = {
            "Content-Length": total - 5 + sent,
            "Content-Range": f"bytes 5-{total - 1}/{total}",
        }
        self.reply(200 if sent else 206, **ETAG, **headers)
        self.wfile.write(CONTENT[:sent])
        server.asked.append(sent)

    server.answers["/archive.tar"] = answer
    with pytest.raises(DownloadFailed, match="5 of 1048576 bytes have come"):
        fetch(server, tmp_path)
    assert len(server.asked) == download.RETRIES + 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda self: self.reply(404), "status 404"),
        (lambda self: self.reply(503), "status 503"),
        (lambda self: self.reply(206, **{"Content-Range": "bytes 0-0/1"}), "status 206"),
        (lambda self: self.reply(302, Location="/archive.tar"), "more than 10 redirects"),
        (lambda self: self.reply(302, Location="file:///etc/passwd"), "a redirect to file:"),
        (lambda self: self.reply(302, Location="ftp://host/a"), "a redirect to ftp:"),
        (lambda self: self.reply(302, Location="http://[::1"), "Invalid IPv6 URL"),
        (lambda self: self.reply(302, Location="http://h:port/"), "nonnumeric port"),
        (lambda self: self.reply(302, Location="http://\x7f \xff/"), "control characters"),
        (lambda self: self.reply(200, **{"Content-Encoding": "gzip"}), "compresses"),
        (lambda self: self.wfile.write(b"HTTP/9.9 what\r\n\r\n"), "HTTP/9.9"),
        (lambda self: self.wfile.write(b"A" * 100_000), "got more than 65536 bytes"),
        (lambda self: self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200), "headers"),
        (lambda self: None, "closed connection"),
    ],
)
def test_other_answers_are_refused_at_once(server, tmp_path, answer, reason):
    server.answers["/archive.tar"] = answer
    with pytest.raises(DownloadFailed, match=f"cannot be fetched .*{reason}") as caught:
        fetch(server, tmp_path)
    assert "\n" not in caught.value.message
    assert not (tmp_path / "a.tar").exists()


def test_a_redirect_is_followed(server, tmp_path):
    server.answers["/elsewhere"] = lambda self: self.reply(307, Location="archive.tar")
    url = server.url.replace("archive.tar", "elsewhere")
    path = fetch_archive(url, tmp_path / "a.tar", SilentProgress())
    assert path.read_bytes() == CONTENT


def test_nobody_there_is_an_error(tmp_path):
    with pytest.raises(DownloadFailed, match="cannot be fetched"):
        fetch_archive("http://127.0.0.1:1/a.tar", tmp_path / "a.tar", SilentProgress())


def test_a_file_that_does_not_end_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 1000)
    with pytest.raises(DownloadFailed, match="more than"):
        fetch(server, tmp_path)
    assert (tmp_path / "a.tar.part").stat().st_size <= 1000


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\n", b"HTTP/1.1 200 O"])
def test_a_server_that_drips_is_left(server, tmp_path, monkeypatch, head):
    """After the beginning of an answer it sends a byte now and then, without end."""
    monkeypatch.setattr(web, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(download, "RETRIES", 1)

    def answer(self):
        server.asked.append(0)
        self.wfile.write(head)
        with contextlib.suppress(OSError):
            while not server.done.wait(0.01):
                self.wfile.write(b"x")

    server.answers["/archive.tar"] = answer
    with pytest.raises(DownloadFailed):
        fetch(server, tmp_path)
    assert len(server.asked) <= 2


def test_a_full_disk_is_not_blamed_on_the_server(server, tmp_path, limit_file_size):
    with (
        limit_file_size(50_000),
        pytest.raises(DownloadFailed, match="cannot be fetched") as caught,
    ):
        fetch(server, tmp_path)
    assert caught.value.remedy.startswith("Free space there")
    assert len(server.asked) == 1


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs Unix")
def test_a_link_in_the_place_of_the_part_is_not_followed(server, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "a.tar.part").symlink_to(tmp_path / "mine")
    with pytest.raises(DownloadFailed):
        fetch(server, tmp_path)
    assert (tmp_path / "mine").read_bytes() == b"mine"
