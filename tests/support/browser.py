"""A page in a real browser: headless Chromium, driven by Debian's own chromedriver or the one beside Google Chrome.

Nothing is downloaded: both programs must be on the PATH, which `missing` checks. `Page.open` opens a file.
"""

import base64
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest import mock

import pytest
from selenium.common.exceptions import NoSuchElementException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
FLAGS = (
    "--headless",
    "--no-sandbox",  # root has no sandbox; the only page opened is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm of a container is small
    "--hide-scrollbars",  # so that media queries see the requested width
    "--lang=en-US",
    "--force-color-profile=srgb",
    # No connections: background requests are off, and the proxy, port 9 of 127.0.0.1, does not answer.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--proxy-server=http://127.0.0.1:9",
)
INSIDE = ("data:", "blob:", "about:")


def missing() -> str:
    """Returns which program is missing and how to install it; an empty string if both are on the PATH."""
    lacking = [] if any(map(shutil.which, BROWSERS)) else [BROWSERS[0]]
    lacking += [] if shutil.which(DRIVER) else [DRIVER]
    return f"no {' and no '.join(lacking)} here: apt-get install chromium chromium-driver" if lacking else ""


class Message(NamedTuple):
    """An entry of the console."""

    level: str
    text: str


class Box(NamedTuple):
    """Where an element is, in CSS pixels from the top left of the screen."""

    x: float
    y: float
    width: float
    height: float


class Page:
    """An open page; `messages`, `errors` and `outside` hold its console and its requests since it was opened."""

    def __init__(self, driver: Chrome, url: str, width: int, height: int):
        self._driver, self._url, self._width, self._height = driver, url, width, height
        self._messages: list[Message] = []
        self._requests: list[str] = []

    @classmethod
    @contextmanager
    def open(
        cls, path: Path | str, width: int = 1280, height: int = 900, dark: bool = False, touch: bool = False
    ) -> Iterator["Page"]:
        """Opens a file in a new browser, so that no state of another page remains.

        Reduced motion is set, so that no screenshot shows half of a transition.
        """
        url = Path(path).resolve(strict=True).as_uri()
        options = ChromeOptions()
        options.binary_location = next(filter(None, map(shutil.which, BROWSERS)))
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # A named driver disables Selenium Manager. The proxy of the environment must not be used for the driver.
        with TemporaryDirectory(prefix="browser", ignore_cleanup_errors=True) as folder:  # Chromium leaves files behind
            service = Service(shutil.which(DRIVER), env={**os.environ, "TMPDIR": folder})
            with mock.patch.dict(os.environ, no_proxy="localhost,127.0.0.1"):
                driver = Chrome(options=options, service=service)
            try:
                page = cls(driver, url, width, height)
                page._emulate(dark, touch)
                driver.set_page_load_timeout(60)
                driver.get(url)
                yield page
            finally:
                driver.quit()

    def _emulate(self, dark: bool, touch: bool) -> None:
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=self._width,
            height=self._height,
            deviceScaleFactor=1,
            mobile=touch,  # <meta name=viewport> counts only then
        )
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touch)
        features = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in features.items()])

    def cdp(self, command: str, **options: Any) -> dict[str, Any]:
        """A command of the Chrome DevTools Protocol."""
        return self._driver.execute_cdp_cmd(command, options)

    # Console and requests

    def _listen(self) -> None:
        """Reads new entries of the browser's logs, after two frames have been painted."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self._messages += [Message(each["level"], each["message"]) for each in self._driver.get_log("browser")]
        for each in self._driver.get_log("performance"):
            event = json.loads(each["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                self._requests.append(event["params"]["request"]["url"])

    @property
    def messages(self) -> list[Message]:
        """All console messages: of scripts, exceptions, files that could not be loaded, CSP violations."""
        self._listen()
        return list(self._messages)

    @property
    def errors(self) -> list[str]:
        """The severe messages."""
        return [each.text for each in self.messages if each.level == "SEVERE"]

    @property
    def outside(self) -> list[str]:
        """Addresses of all requests, except for the page itself and for embedded data."""
        self._listen()
        return [each for each in self._requests if each != self._url and not each.startswith(INSIDE)]

    # Contents

    def screenshot(self, path: Path | str, full: bool = True, screens: int = 1) -> None:
        """Writes a PNG of the whole page, or of this number of screens from the current position on."""
        layout = self.cdp("Page.getLayoutMetrics")
        whole = layout["cssContentSize"]["height"]
        top = 0 if full else layout["cssVisualViewport"]["pageY"]
        height = max(whole, self._height) if full else min(screens * self._height, max(whole - top, self._height))
        clip = {"x": 0, "y": top, "width": self._width, "height": height, "scale": 1}
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def pdf(self) -> bytes:
        """Prints the page to PDF, with backgrounds."""
        return base64.b64decode(self.cdp("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])

    def size_of(self, css: str) -> Box:
        """The bounding box of the first element."""
        rect = self._property(css, "getBoundingClientRect().toJSON()")
        return Box(*(rect[each] for each in Box._fields))

    def visible(self, css: str) -> bool:
        """Returns True if the first element is drawn and has a size; it may be off screen."""
        drawn = self._property(css, "checkVisibility({opacityProperty: true, visibilityProperty: true})")
        box = self.size_of(css)
        return drawn and box.width > 0 and box.height > 0

    def evaluate(self, js: str) -> Any:
        """Evaluates an expression, awaited if it is a promise; of several statements, returns the last value."""
        answer = self.cdp("Runtime.evaluate", expression=js, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            what = answer["exceptionDetails"]
            raise RuntimeError(what.get("exception", {}).get("description") or what["text"])
        return answer["result"].get("value")

    def _property(self, css: str, what: str) -> Any:
        """Returns a property of the first element; raises LookupError if the selector matches nothing."""
        name = json.dumps(css)
        if not self.evaluate(f"document.querySelector({name}) !== null"):
            raise LookupError(f"nothing on the page is {css}")
        return self.evaluate(f"document.querySelector({name}).{what}")

    # Actions

    def click(self, css: str) -> None:
        """Scrolls to the first element and clicks on it; raises an error if another element covers it."""
        try:
            self._driver.find_element(By.CSS_SELECTOR, css).click()
        except NoSuchElementException:
            raise LookupError(f"nothing on the page is {css}") from None

    def press(self, key: str) -> None:
        """Presses a key with a name of KeyboardEvent.key: "Enter", "ArrowRight", "a", "Shift+Tab"."""
        *held, key = key.split("+") if len(key) > 1 else [key]
        chain = ActionChains(self._driver)
        for each in held:
            chain.key_down(_key(each))
        chain.send_keys(_key(key))
        for each in reversed(held):
            chain.key_up(_key(each))
        chain.perform()


def _key(name: str) -> str:
    return name if len(name) == 1 else getattr(Keys, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())


def for_each(css: str, js: str) -> str:
    """Returns a script that evaluates an expression of `each` for every element."""
    return f"[...document.querySelectorAll({css!r})].map(each => {js})"


def browser_or_skip() -> type[Page]:
    """Returns Page; without a browser, the test is skipped, or fails if MEDFOLD_NEEDS_BROWSER is set, as in CI."""
    if problem := missing():
        give_up = pytest.fail if os.environ.get("MEDFOLD_NEEDS_BROWSER") else pytest.skip
        give_up(problem)
    return Page
