"""A real browser for the pages: what a person does in it, and what it complains about."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

T = TypeVar("T")

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1440,900",
)


class Browser:
    """One tab of headless Chromium on one service."""

    def __init__(self, driver: Chrome, origin: str) -> None:
        self.driver = driver
        self.origin = origin

    # --- what a person does

    def open(self, path: str) -> None:
        """Go to a page of the service."""
        self.driver.get(self.origin + path)

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def hold(self, modifier: str, key: str) -> None:
        """Press a key while another is held."""
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def fill(self, selector: str, text: str) -> None:
        """Put a text into a field in place of what is there."""
        field = self.see(selector)
        field.clear()
        field.send_keys(text)

    def paste(self, selector: str, text: str) -> None:
        """Put a text that is too long to be typed into a field."""
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"
        self.run(script, self.see(selector), text)

    def click(self, selector: str) -> None:
        """Click what can be seen there, out of reach of what sticks to the window's edges."""
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", self.see(selector))
        self.see(selector).click()

    # --- what a person sees

    def path(self) -> str:
        """Path and query of the page."""
        parts = urlsplit(self.driver.current_url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def see(self, selector: str) -> WebElement:
        """Wait for an element that can be seen."""
        return self.until(
            lambda: next((e for e in self.all(selector) if e.is_displayed()), None), f"{selector} is seen"
        )

    def all(self, selector: str) -> list[WebElement]:
        """All elements of the selector, seen or not."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """The words of an element that can be seen."""
        return self.until(lambda: self.see(selector).text, f"{selector} has words")

    def until(self, look: Callable[[], T | None], what: str, seconds: float = 30) -> T:
        """Look again and again until there is something."""
        wait = WebDriverWait(self.driver, seconds, 0.1, (NoSuchElementException, StaleElementReferenceException))
        found = wait.until(lambda _: look(), f"{what}; the page is {self.path()}")
        assert found
        return found

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page."""
        return self.driver.execute_script(script, *arguments)

    def focused(self) -> WebElement:
        """What the keyboard acts on."""
        return self.driver.switch_to.active_element

    def look(self, *, scheme: str = "light", width: int = 1440, height: int = 900) -> None:
        """Choose light or dark, and the size of the window."""
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    # --- what the browser noticed

    def complaints(self) -> list[str]:
        """What the console says since the last call, without the statuses that the pages show themselves."""
        lines = self.driver.get_log("browser")
        return [line["message"] for line in lines if line["source"] != "network" and line["level"] != "DEBUG"]

    def requested(self) -> set[str]:
        """The addresses that were asked for since the last call."""
        messages = (json.loads(line["message"])["message"] for line in self.driver.get_log("performance"))
        sent = [message for message in messages if message["method"] == "Network.requestWillBeSent"]
        return {message["params"]["request"]["url"] for message in sent}


@contextmanager
def chromium(origin: str) -> Iterator[Browser]:
    """A fresh browser; skips the test where there is none, and fails it where one is promised (`CI=true`)."""
    missing = [path for path in (CHROMIUM, DRIVER) if shutil.which(path) is None]
    if missing:
        reason = f"{' and '.join(missing)} missing; as root: apt-get install chromium chromium-driver"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    options = ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with tempfile.TemporaryDirectory(prefix="thetool-browser-", ignore_cleanup_errors=True) as profile:
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        driver = Chrome(options, ChromeService(DRIVER))
        try:
            yield Browser(driver, origin)
        finally:
            driver.quit()
