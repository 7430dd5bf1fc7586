import http.client
import sys
import threading

import pytest

from msdm_cli.audio.formats import readable_suffixes
from msdm_cli.page.place import save_page
from msdm_cli.page.serve import TYPES, PageServer, find_part
from msdm_cli.page.template import Page


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "stems"
    folder.mkdir()
    page = folder / "index.html"
    save_page(Page("a title", "", 1.0, []), page)
    (folder / "a b.wav").write_bytes(bytes(range(100)))
    (folder / "msdm.json").write_text("{}")
    (folder / "other.html").write_text("<script>")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    with PageServer(folder, page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPConnection(*server.server_address[:2])
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_pages_and_sounds(server):
    assert server.address == f"http://127.0.0.1:{server.server_address[1]}/"
    answer, content = ask(server, "/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"a title" in content
    answer, content = ask(server, "/a%20b.wav")
    assert (answer.status, content) == (200, bytes(range(100)))
    answer, content = ask(server, "/a%20b.wav", "HEAD")
    assert (answer.headers["Content-Length"], content) == ("100", b"")


def test_whatever_a_page_can_show_is_served():
    assert readable_suffixes() <= TYPES.keys()


def test_parts_since_a_browser_seeks(server):
    answer, content = ask(server, "/a%20b.wav", Range="bytes=10-19")
    assert (answer.status, content) == (206, bytes(range(10, 20)))
    assert answer.headers["Content-Range"] == "bytes 10-19/100"
    assert ask(server, "/a%20b.wav", Range="bytes=200-")[0].status == 416


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=90-900", (90, 10)),
        ("bytes=-5", (95, 5)),
        ("bytes=-500", (0, 100)),
        ("bytes=5-3", (5, 0)),
        ("bytes=1-2,4-5", None),
        ("", None),
        ("bytes=-", None),
    ],
)
def test_ranges(header, part):
    assert find_part(header, 100) == part


@pytest.mark.parametrize(
    "path",
    ["/none.wav", "/../secret.wav", "/%2e%2e/secret.wav", "/msdm.json", "/other.html", "/%00.wav"],
)
def test_nothing_else_is_served(server, path):
    assert ask(server, path)[0].status == 404


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_no_link_leads_out(server, tmp_path):
    (tmp_path / "stems" / "link.wav").symlink_to(tmp_path / "secret.wav")
    assert ask(server, "/link.wav")[0].status == 404


def test_a_name_that_points_here_from_elsewhere_is_refused(server):
    assert ask(server, "/", Host="evil.example")[0].status == 403
    assert ask(server, "/", Host="localhost:1")[0].status == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/", {"Host": "["}), ("/a%20b.wav", {"Range": f"bytes={'9' * 5000}-"})],
)
def test_a_request_that_is_none_is_answered_by_nothing_and_leaves_no_traceback(
    server, capfd, path, headers
):
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(server, path, **headers)
    assert ask(server, "/")[0].status == 200
    assert capfd.readouterr().err == ""
