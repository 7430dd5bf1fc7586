"""The parts of a page as text: HTML with what people and files are called, made harmless."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).with_name("assets")
PLACE = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Track:
    """A row of a page.

    Attributes:
        name: What it is called.
        file: Name of its file.
        source: Address of the file, relative to the page.
        colour: Red, green and blue.
        wave: Picture of its waveform, as PNG.
        spectrogram: Picture of its spectrogram, as PNG.
        pitches: Frequencies on the spectrogram: share of its height, and what to write there.
        muted: Whether it is silent at first.
        note: What it is like; empty if nothing is known.
        link: Address of a page about it, relative to this one; empty if there is none.
        command: What a person may run next; empty if nothing.
    """

    name: str
    file: str
    source: str
    colour: tuple[int, int, int]
    wave: bytes
    spectrogram: bytes
    pitches: Sequence[tuple[float, str]] = ()
    muted: bool = False
    note: str = ""
    link: str = ""
    command: str = ""


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: Its title.
        summary: A line about all of it.
        seconds: Length of the longest track.
        tracks: Its rows.
        facts: How it was made: what and how.
        commands: What a person may run: why, and the command.
        exclusive: Whether one track is heard at a time.
    """

    title: str
    summary: str
    seconds: float
    tracks: Sequence[Track]
    facts: Sequence[tuple[str, str]] = ()
    commands: Sequence[tuple[str, str]] = field(default=())
    exclusive: bool = False


def render(page: Page) -> str:
    """The page as HTML."""
    script = _read("player.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    tracks = (_render_track(track, exclusive=page.exclusive) for track in page.tracks)
    heard = "hear this take" if page.exclusive else "solo; with Shift mute"
    return _fill(
        _read("page.html"),
        {
            "title": html.escape(page.title),
            "summary": html.escape(page.summary),
            "seconds": f"{page.seconds:.6f}",
            "length": format_length(page.seconds),
            "exclusive": " data-exclusive" if page.exclusive else "",
            "digit_help": heard,
            "tracks": "\n".join(tracks),
            "facts": _render_facts(page),
            "style": _read("style.css"),
            "script": script,
            "script_digest": digest,
        },
    )


def format_length(seconds: float) -> str:
    """A length as the player's clock shows it: ``3:07.5``."""
    tenths = int(seconds * 10 + 1e-6)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


@cache
def _read(name: str) -> str:
    return (ASSETS / name).read_text("utf-8").rstrip("\n")


def _fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its places filled. What is filled in is not looked at again."""
    return PLACE.sub(lambda match: values[match[1]], template)


def _render_track(track: Track, *, exclusive: bool) -> str:
    name = html.escape(track.name)
    colour = "#{:02x}{:02x}{:02x}".format(*track.colour)
    attributes = {"data-source": track.source, "data-file": track.file}
    if track.muted:
        attributes["data-muted"] = ""
    written = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
    more = _render_more(track)
    pitches = "".join(
        f'<span class="pitch" style="bottom: {share:.1%}">{text}</span>'
        for share, text in track.pitches
    )
    return f"""<li class="track" style="--colour: {colour}"{written}>
<div class="head">
<h2 class="name">{name}</h2>
{_render_controls(name, exclusive=exclusive)}
</div>
<div class="lane">
<img class="wave" alt="Waveform of {name}" src="{_embed(track.wave)}">
<div class="spectrogram">
<img alt="Spectrogram of {name}" src="{_embed(track.spectrogram)}">{pitches}
</div>
<span class="note" role="status"></span>
</div>{more}
</li>"""


def _render_controls(name: str, *, exclusive: bool) -> str:
    """Buttons and gain of a track."""
    if exclusive:
        return f"""<div class="buttons">
<button class="solo" aria-pressed="false" aria-label="Hear {name}">Hear</button>
</div>"""
    return f"""<div class="buttons">
<button class="mute" aria-pressed="false" aria-label="Mute {name}" title="Mute">M</button>
<button class="solo" aria-pressed="false" aria-label="Solo {name}" title="Solo">S</button>
</div>
<label class="gain"><input type="range" min="-40" max="0" step="0.5" value="0" \
aria-label="Gain of {name} in dB"><output>0 dB</output></label>"""


def _render_more(track: Track) -> str:
    parts = [html.escape(track.note)] if track.note else []
    if track.link:
        parts.append(f'<a href="{html.escape(track.link)}">its stems</a>')
    if track.command:
        parts.append(f"<code>{html.escape(track.command)}</code>")
    return f'\n<p class="more">{" · ".join(parts)}</p>' if parts else ""


def _render_facts(page: Page) -> str:
    lines = []
    if page.facts:
        lines += ['<h2 class="title">How it was made</h2>', '<dl class="facts">']
        lines += [
            f"<div><dt>{html.escape(what)}</dt><dd>{html.escape(how)}</dd></div>"
            for what, how in page.facts
        ]
        lines.append("</dl>")
    if page.commands:
        lines += ['<h2 class="title">What next, in this folder</h2>', '<ul class="commands">']
        lines += [
            f"<li><span>{html.escape(why)}</span><code>{html.escape(command)}</code></li>"
            for why, command in page.commands
        ]
        lines.append("</ul>")
    return "\n".join(lines)


def _embed(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
