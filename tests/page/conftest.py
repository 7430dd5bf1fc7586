"""A real browser, over WebDriver. Tests that need it are skipped where there is none."""

import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest
from conftest import WAIT_SECONDS

DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
)


class Browser:
    """A page in Chromium.

    Source: W3C, WebDriver.
    """

    def __init__(self, address):
        self._address = address
        options = {"args": ARGUMENTS, "binary": CHROMIUM}
        always = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        started = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": always}})
        self._session = f"/session/{started['sessionId']}"

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from error

    def open(self, address):
        self._ask("POST", f"{self._session}/url", {"url": address})

    def run(self, script, *arguments):
        """What a function body returns; a promise is waited for."""
        body = {"script": script, "args": arguments}
        return self._ask("POST", f"{self._session}/execute/sync", body)

    def wait(self, condition):
        """Wait until a JavaScript expression is true."""
        waiting = (
            "return new Promise((resolve, reject) => {"
            "setInterval(() => { if (CONDITION) resolve(true); }, 10);"
            "setTimeout(() => reject(new Error('it never comes true')), 20000); })"
        )
        assert self.run(waiting.replace("CONDITION", condition))

    def press(self, keys):
        """Press keys one after the other; W3C's code points name those without a character."""
        pairs = ({"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp"))
        self._act({"type": "key", "id": "keys", "actions": list(pairs)})

    def drag(self, selector, start, stop):
        """Press on a share of an element's width, and let go on another."""
        script = (
            "const one = document.querySelector(arguments[0]);"
            "one.scrollIntoView({block: 'center'});"
            "const box = one.getBoundingClientRect();"
            "return [box.left, box.top + box.height / 2, box.width]"
        )
        left, top, width = self.run(script, selector)

        def move(share, duration):
            place = {"x": round(left + share * width), "y": round(top)}
            return {"type": "pointerMove", "duration": duration, **place}

        buttons = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        actions = [move(start, 0), buttons[0], move(stop, 20), buttons[1]]
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def click(self, selector):
        self.drag(selector, 0.5, 0.5)

    def _act(self, source):
        self._ask("POST", f"{self._session}/actions", {"actions": [source]})

    def complaints(self):
        """What the console has said since the last time."""
        return [
            entry["message"]
            for entry in self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        ]

    def resize(self, width, height):
        self._ask("POST", f"{self._session}/window/rect", {"width": width, "height": height})

    def picture(self):
        """A screenshot as PNG."""
        return base64.b64decode(self._ask("GET", f"{self._session}/screenshot"))

    def close(self):
        self._ask("DELETE", self._session)


@pytest.fixture(scope="session")
def browser():
    if not (DRIVER and CHROMIUM):
        pytest.skip("needs chromium and chromedriver")
    with subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        try:
            lines = iter(driver.stdout.readline, "")
            found = (re.search(r"successfully on port (\d+)", line) for line in lines)
            port = next(match[1] for match in found if match)
            opened = Browser(f"http://127.0.0.1:{port}")
            yield opened
            opened.close()
        finally:
            driver.terminate()
