"""Google Drive, which asks before it gives away a file that it has not searched for viruses."""

from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

from msdm_cli.models.web import Answer, RefusedAnswer

HOSTS = ("drive.google.com", "drive.usercontent.google.com", "docs.google.com")
MOST_PAGE_BYTES = 1 << 20
FORM = "download-form"
REASON = "uc-error-subcaption"


class _Page(HTMLParser):
    """Finds the form that a person would submit, or the reason why there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.reason = ""
        self._in_reason = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form, its hidden fields, and where the reason begins."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and found.get("id") == FORM:
            self.action = found.get("action", "")
        elif tag == "input" and self.action and found.get("type") == "hidden":
            self.fields[found.get("name", "")] = found.get("value", "")
        elif tag == "p":
            self._in_reason = found.get("class") == REASON

    def handle_endtag(self, tag: str) -> None:
        """Note where the reason ends."""
        if tag == "p":
            self._in_reason = False

    def handle_data(self, data: str) -> None:
        """Note the reason."""
        if self._in_reason:
            self.reason += data


def find_confirmed(answer: Answer) -> str | None:
    """The address of the file behind a page of Google Drive; None if this is no such page.

    Args:
        answer: What Google Drive, or another server, has answered. Of a page, the body is read.

    Raises:
        RefusedAnswer: Google Drive does not give the file.
    """
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    if not is_page or urlsplit(answer.url).hostname not in HOSTS:
        return None
    content = bytearray()
    while len(content) < MOST_PAGE_BYTES and (block := answer.read(MOST_PAGE_BYTES)):
        content += block
    page = _Page()
    page.feed(content.decode(errors="replace"))
    place = urlsplit(page.action)
    if place.scheme != "https" or place.hostname not in HOSTS:
        reason = page.reason or f"status {answer.status}, and a page without the file"
        raise RefusedAnswer(f"Google Drive: {reason}")
    return f"{page.action}{'&' if place.query else '?'}{urlencode(page.fields)}"
