"""Answers of servers. tests/models/test_download.py has those that go wrong."""

import pytest

from msdm_cli.models.web import RefusedAnswer, _follow


@pytest.mark.parametrize(
    ("url", "place", "expected"),
    [
        ("https://one/a", "https://two/b", "https://two/b"),
        ("https://one/a/b", "c", "https://one/a/c"),
        ("https://one/a", "//two/b", "https://two/b"),
        ("http://one/a", "https://two/b", "https://two/b"),
    ],
)
def test_a_redirect_leads_on(url, place, expected):
    assert _follow(url, place) == expected


@pytest.mark.parametrize("place", ["http://one/a", "file:///etc/passwd", "data:,x", "ftp://one/a"])
def test_a_redirect_does_not_lead_away_from_https(place):
    with pytest.raises(RefusedAnswer, match="a redirect to"):
        _follow("https://one/a", place)
