"""The player in a real browser, from the disk and from a server."""

import sys
import threading

import numpy as np
import pytest
import soundfile

from msdm_cli.page.serve import PageServer
from msdm_cli.page.write import write_page

RATE = 22050
SECONDS = 12
TOGETHER_SECONDS = 0.03
"""Closer than this, two sounds are one: the ear's threshold of an echo."""
NASTY = "a \"b\" 'c' <img src=x onerror=document.title=1> #?%:&amp;\n{{script}}.wav"

PLAYING = "document.querySelector('main').dataset.state === 'playing'"
PAUSED = "document.querySelector('main').dataset.state === 'paused'"
SPACE = " "
RIGHT = "\ue014"
ESCAPE = "\ue00c"


def write_stems(folder, names=("bass.wav", "drums.flac", "piano.ogg")):
    folder.mkdir(parents=True)
    time = np.arange(SECONDS * RATE) / RATE
    for number, name in enumerate(names):
        sound = 0.3 * np.sin(2 * np.pi * 110 * (number + 1) * time) * (time % 1 < 0.5)
        soundfile.write(folder / name, sound, RATE)
    return write_page(folder)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_stems(tmp_path_factory.mktemp("player") / "stems")


@pytest.fixture
def player(browser, page):
    browser.complaints()
    browser.open(page.as_uri())
    return browser


def ask_sounds(browser, what):
    return browser.run(f"return [...document.querySelectorAll('audio')].map((a) => a.{what})")


def heard(browser):
    """The volume of each stem."""
    script = "return [...document.querySelectorAll('audio')].map((a) => a.muted ? 0 : a.volume)"
    return browser.run(script)


def test_all_stems_play_together_and_pause(player):
    player.click(".play")
    player.wait(PLAYING)
    player.wait("document.querySelector('audio').currentTime > 0.5")
    places = ask_sounds(player, "currentTime")
    assert max(places) - min(places) < TOGETHER_SECONDS
    assert heard(player) == [1, 1, 1]
    player.press(SPACE)
    player.wait(PAUSED)
    assert all(ask_sounds(player, "paused"))
    assert player.complaints() == []


def test_a_click_goes_there_and_a_key_goes_on(player):
    player.drag(".track:nth-child(2) .lane", 0.5, 0.5)
    player.wait("Math.abs(document.querySelector('audio').currentTime - 6) < 0.1")
    places = ask_sounds(player, "currentTime")
    assert max(places) - min(places) == 0
    assert player.run("return document.querySelector('.clock').textContent").startswith("0:0")
    player.press(RIGHT)
    player.wait("Math.abs(document.querySelector('audio').currentTime - 11) < 0.1")
    at = player.run("return document.querySelector('.tracks').style.getPropertyValue('--at')")
    assert float(at) == pytest.approx(11 / 12, abs=0.01)


def test_solo_mute_and_gain(player):
    player.click(".track:nth-child(2) .solo")
    assert heard(player) == [0, 1, 0]
    player.press("3")
    assert heard(player) == [0, 1, 1]
    player.press("0")
    player.click(".track:nth-child(1) .mute")
    assert heard(player) == [0, 1, 1]
    set_gain = (
        "const gain = document.querySelectorAll('.gain input')[1];"
        "gain.value = arguments[0]; gain.dispatchEvent(new Event('input'))"
    )
    player.run(set_gain, -6)
    assert heard(player)[1] == pytest.approx(0.501, abs=0.01)
    player.run(set_gain, -40)
    assert heard(player) == [0, 0, 1]
    pressed = "return document.querySelector('.mute').getAttribute('aria-pressed')"
    assert player.run(pressed) == "true"


def test_a_part_that_was_dragged_is_looped(player):
    player.drag(".track:nth-child(1) .lane", 0.5, 0.54)  # half a second
    shown = player.run("return document.querySelector('.region').textContent")
    assert shown.startswith("0:0")
    player.run(
        "window.times = []; setInterval(() => times.push("
        "document.querySelector('audio').currentTime), 5)"
    )
    player.press(SPACE)
    # It has come back at least once, and was never outside.
    player.wait("times.some((time, i) => i && time < times[i - 1] - 0.3)")
    times = player.run("return times")
    assert min(times) > 5.8
    assert max(times) < 6.8
    player.press(SPACE + ESCAPE)
    assert player.run("return document.querySelector('.region').textContent") == ""


def test_the_end_is_a_pause_and_then_the_beginning(player):
    player.drag(".track .lane", 0.98, 0.98)
    player.press(SPACE)
    player.wait(PLAYING)
    player.wait(PAUSED)
    player.press(SPACE)
    player.wait(PLAYING)
    assert ask_sounds(player, "currentTime")[0] < 3


@pytest.mark.skipif(sys.platform == "win32", reason="names have fewer characters there")
def test_names_of_any_kind(browser, tmp_path):
    page = write_stems(tmp_path / NASTY.removesuffix(".wav"), (NASTY, "drums.wav"))
    browser.open(page.as_uri())
    names = browser.run("return [...document.querySelectorAll('.name')].map((n) => n.textContent)")
    assert NASTY.removesuffix(".wav") in names
    assert browser.run("return document.title").startswith('a "b"')
    browser.press(SPACE)
    browser.wait("document.querySelector('audio').currentTime > 0.1")
    assert ask_sounds(browser, "error") == [None, None]


def test_what_the_browser_cannot_play_is_said(browser, tmp_path):
    page = write_stems(tmp_path / "stems", ("bass.wav", "drums.wav"))
    (page.parent / "bass.wav").write_bytes(b"no sound")
    browser.open(page.as_uri())
    browser.wait("document.querySelector('.note').textContent.endsWith('cannot play bass.wav')")
    browser.press(SPACE)
    browser.wait("document.querySelectorAll('audio')[1].currentTime > 0.1")


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(player, width):
    player.resize(width, 900)
    player.open(player.run("return location.href"))
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert player.run(wider) == 0
    assert player.run("return document.querySelector('.lane img').naturalWidth") > 500


def test_a_served_page_plays_and_seeks(browser, page):
    with PageServer(page.parent, page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        browser.open(server.address)
        browser.drag(".track .lane", 0.75, 0.75)
        browser.press(SPACE)
        browser.wait("document.querySelector('audio').currentTime > 9.1")
        browser.press(SPACE)
        browser.open("about:blank")
        server.shutdown()
        thread.join()
