"""``msdm view``."""

import errno
import socket
import threading
import urllib.request
from unittest import mock

import pytest
from run_msdm import msdm
from typer.testing import CliRunner

from msdm_cli.cli.app import app
from msdm_cli.errors import UnwritableResults
from msdm_cli.page.serve import PageServer


@pytest.fixture
def stems(write_song, tmp_path):
    for name in ("bass", "drums"):
        write_song(f"stems/{name}.wav", seconds=0.3)
    return tmp_path / "stems"


def test_the_page_of_a_folder(stems):
    result = msdm("view", stems)
    page = stems / "index.html"
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{page}\n", "")
    assert page.read_text("utf-8").count('class="track"') == 2
    assert msdm("view", stems, "-q").stdout == ""


def test_a_folder_of_takes_gets_a_gallery(tmp_path, tiny):
    options = ("--model", "tiny", "--device", "cpu", "--seconds", "0.4", "-o", tmp_path / "takes")
    assert msdm("generate", *options, "--variations", "2", "--seed", "1").returncode == 0
    result = msdm("view", tmp_path / "takes")
    assert result.stdout == f"{tmp_path / 'takes' / 'index.html'}\n"
    assert "seed-2/mixture.wav" in (tmp_path / "takes" / "index.html").read_text("utf-8")


def test_a_folder_of_stems_with_takes_in_it_gets_both_pages(tmp_path, tiny):
    options = ("--model", "tiny", "--device", "cpu", "--seconds", "0.4", "--no-page", "--seed", "1")
    folder = tmp_path / "seed-1"
    assert msdm("generate", *options, "-o", tmp_path).returncode == 0
    assert msdm("generate", *options, "-o", folder, "--variations", "2").returncode == 0
    result = msdm("view", folder)
    pages = [folder / "index.html", folder / "takes.html"]
    assert result.stdout.splitlines() == list(map(str, pages)), result.stderr
    assert "./drums.wav" in pages[0].read_text("utf-8")
    assert "seed-2/mixture.wav" in pages[1].read_text("utf-8")


def test_what_cannot_be_shown(stems, tmp_path):
    msdm("view", tmp_path / "none").assert_two_lines("no such file")
    (tmp_path / "empty").mkdir()
    msdm("view", tmp_path / "empty").assert_two_lines("no sound files", "a folder of stems")
    (stems / "index.html").write_text("mine")
    msdm("view", stems).assert_two_lines("index.html", "stays as it is", "Rename it")


def test_a_page_without_a_broken_file_is_no_success(stems):
    (stems / "piano.wav").write_text("no sound")
    result = msdm("view", stems)
    page = stems / "index.html"
    assert result.returncode == 1
    assert result.stdout == f"{page}\n"
    assert page.read_text("utf-8").count('class="track"') == 2
    assert result.stderr.count("\n") == 2
    assert "piano.wav" in result.stderr
    assert "leaves it out" in result.stderr


def test_a_page_is_served_until_the_end(stems):
    seen = []

    def serve_once(server, poll_interval=0.5):
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with urllib.request.urlopen(server.address) as answer:
            seen.append(answer.read())
        thread.join()

    with mock.patch.object(PageServer, "serve_forever", serve_once):
        result = msdm("view", stems, "--serve", "--port", "0")
    assert result.returncode == 0
    assert result.stdout.startswith("http://127.0.0.1:")
    assert seen == [(stems / "index.html").read_bytes()]


def test_a_port_that_is_taken(stems):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        msdm("view", stems, "--serve", "--port", port).assert_two_lines("cannot serve", "--port 0")


def test_a_page_that_cannot_be_written_names_no_option_that_view_lacks(stems, monkeypatch):
    def refuse(path, data):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("msdm_cli.page.place.write_whole", refuse)
    result = CliRunner().invoke(app, ["view", str(stems)])
    assert isinstance(result.exception, UnwritableResults)
    assert result.exception.hint == (
        "You may not write there: change its rights, or copy it to a folder of yours."
    )
