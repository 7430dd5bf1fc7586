"""The page of Google Drive that comes before a large file."""

import pytest

from msdm_cli.models.google_drive import find_confirmed
from msdm_cli.models.web import RefusedAnswer

URL = "https://drive.google.com/uc?id=1a2b"
PAGE = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
<form id="download-form" action="{action}" method="get"><input type="submit" id="uc-download-link"
value="Download anyway"/><input type="hidden" name="id" value="1a2b"><input type="hidden"
name="export" value="download"><input type="hidden" name="confirm" value="t"><input type="hidden"
name="uuid" value="a&amp;b c"></form></body></html>"""
ACTION = "https://drive.usercontent.google.com/download"
FIELDS = "id=1a2b&export=download&confirm=t&uuid=a%26b+c"


class Answer:
    """An answer in memory."""

    status = 200

    def __init__(self, content, url=URL, kind="text/html; charset=utf-8"):
        self.headers = {"Content-Type": kind}
        self.url = url
        self._content = content.encode()

    def read(self, size):
        block = self._content[: min(size, 100_000)]
        self._content = self._content[len(block) :]
        return block


def test_the_form_is_filled_in():
    assert find_confirmed(Answer(PAGE.format(action=ACTION))) == f"{ACTION}?{FIELDS}"
    found = find_confirmed(Answer(PAGE.format(action=f"{ACTION}?a=1")))
    assert found == f"{ACTION}?a=1&{FIELDS}"


@pytest.mark.parametrize(
    "answer", [Answer("x", kind="application/x-tar"), Answer("x", "https://elsewhere/page")]
)
def test_what_is_no_page_of_google_is_the_file(answer):
    assert find_confirmed(answer) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "status 200, and a page without the file"),
        (
            '<p class="uc-error-subcaption">Too many users.</p><p>x</p>',
            "Google Drive: Too many users.$",
        ),
        (PAGE.format(action="http://drive.google.com/a"), "without the file"),
        (PAGE.format(action="https://evil.example/a"), "without the file"),
        (PAGE.format(action="javascript:alert(1)"), "without the file"),
        ("<" * 100_000, "without the file"),
    ],
)
def test_a_page_without_the_file_says_why(content, reason):
    with pytest.raises(RefusedAnswer, match=reason):
        find_confirmed(Answer(content))


def test_a_long_page_is_not_read_to_its_end():
    answer = Answer("x" * 3_000_000)
    with pytest.raises(RefusedAnswer):
        find_confirmed(answer)
    assert len(answer._content) > 1_000_000
