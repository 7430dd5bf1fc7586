"""Fetching, from a server of our own."""

import http.server
import re
import threading

import pytest

from msdm_cli.errors import DownloadFailed
from msdm_cli.models.download import fetch_archive
from msdm_cli.progress import SilentProgress

CONTENT = bytes(range(256)) * 4096
BROKEN_OFF = 800_000  # gdown keeps blocks of half a megabyte


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; the first answer breaks off if the server says so."""

    def do_GET(self):
        if self.path != "/archive.tar":
            self.send_error(404)
            return
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        self.server.asked.append(start)
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = BROKEN_OFF if len(self.server.asked) == 1 and self.server.breaks else len(CONTENT)
        self.wfile.write(CONTENT[start:stop])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.asked = []
        running.breaks = False
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        running.url = f"http://127.0.0.1:{running.server_address[1]}"
        yield running
        running.shutdown()
        thread.join()


def test_a_file_is_fetched_once(server, tmp_path):
    for _ in range(2):
        path = fetch_archive(
            f"{server.url}/archive.tar", tmp_path / "new" / "a.tar", SilentProgress()
        )
        assert path.read_bytes() == CONTENT
    assert server.asked == [0]


def test_an_interrupted_download_resumes(server, tmp_path):
    server.breaks = True
    path = fetch_archive(f"{server.url}/archive.tar", tmp_path / "a.tar", SilentProgress())
    assert path.read_bytes() == CONTENT
    assert server.asked[0] == 0
    assert server.asked[1] > 0


def test_several_at_once_fetch_it_once(server, tmp_path):
    url = f"{server.url}/archive.tar"
    path = tmp_path / "a.tar"
    threads = [
        threading.Thread(target=fetch_archive, args=(url, path, SilentProgress())) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == CONTENT
    assert server.asked == [0]


@pytest.mark.parametrize("url", ["{}/nothing.tar", "http://127.0.0.1:1/a.tar"])
def test_a_failed_download_is_an_error_and_leaves_no_file(server, tmp_path, url, monkeypatch):
    monkeypatch.setattr("msdm_cli.models.download.RETRIES", 0)
    with pytest.raises(DownloadFailed, match="cannot be fetched"):
        fetch_archive(url.format(server.url), tmp_path / "a.tar", SilentProgress())
    assert not (tmp_path / "a.tar").exists()
