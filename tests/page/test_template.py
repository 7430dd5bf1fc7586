import re
from html.parser import HTMLParser

from msdm_cli.page.template import Page, Track, format_length, render

NASTY = "a\"b'c<script>alert(1)</script>&amp;\n{{script}}"


def make_track(**fields):
    given = {"name": NASTY, "file": NASTY, "source": "./a%22b.wav", "colour": (1, 2, 255)}
    return Track(**{**given, "wave": b"wave", "spectrogram": b"spectrum", **fields})


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.texts = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


def test_names_are_text_and_nothing_else():
    page = Page(NASTY, NASTY, 1.5, [make_track()], [(NASTY, NASTY)], [(NASTY, NASTY)])
    read = Reader(render(page))
    assert [tag for tag, _ in read.tags].count("script") == 1
    assert read.texts.count(NASTY) >= 6
    (row,) = (attributes for _, attributes in read.tags if attributes.get("class") == "track")
    assert row["data-file"] == NASTY
    assert row["data-source"] == "./a%22b.wav"
    assert "data-muted" not in row
    labels = [attributes.get("aria-label", "") for _, attributes in read.tags]
    assert f"Solo {NASTY}" in labels


def test_nothing_but_the_script_of_the_page_may_run_and_nothing_is_fetched():
    text = render(Page("t", "s", 1.0, [make_track(name="a", file="a", source="a.wav")]))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; img-src data:; media-src 'self' file:;")
    assert "script-src 'sha256-" in policy
    assert not re.findall(r"https?://", text)
    assert "fetch(" not in text


def test_takes_are_heard_one_at_a_time_and_lead_on():
    more = {"link": "./seed-1/index.html", "command": "msdm generate --seed 1"}
    track = make_track(muted=True, note="100 bpm <fast>", **more)
    text = render(Page("t", "s", 1.0, [track], exclusive=True))
    tags = Reader(text).tags
    assert any("data-exclusive" in attributes for tag, attributes in tags if tag == "main")
    assert any(attributes.get("href") == "./seed-1/index.html" for _, attributes in tags)
    assert "<code>msdm generate --seed 1</code>" in text
    assert "100 bpm &lt;fast&gt;" in text
    assert not any(attributes.get("class") == "mute" for _, attributes in tags)


def test_lengths():
    assert [format_length(x) for x in (0, 9.96, 61.25, 600)] == [
        "0:00.0",
        "0:09.9",
        "1:01.2",
        "10:00.0",
    ]
