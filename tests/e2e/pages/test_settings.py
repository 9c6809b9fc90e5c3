"""Keys, made and revoked in the page."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.e2e.browser import Browser
from tests.e2e.pages.sample import MARKUP
from tests.e2e.service import Service

pytestmark = pytest.mark.browser


def test_a_key_is_made_shown_once_and_revoked(browser: Browser, service: Service) -> None:
    browser.open("/settings")
    browser.fill("#name", f"Reports {MARKUP}")
    browser.click("#new-key .main")
    secret = browser.text("#secret code")
    assert service_answers(service, secret) == 200
    assert MARKUP in browser.text("#rows")
    browser.driver.refresh()
    browser.see("#rows tr")
    assert secret not in browser.driver.page_source
    browser.click("#rows button[aria-label^=Revoke]")
    browser.click("dialog button.danger")
    browser.until(lambda: browser.see("#none"), "the key is gone")
    browser.until(lambda: service_answers(service, secret) == 401, "it opens nothing any more")


def test_a_key_with_limits_is_rotated(browser: Browser, service: Service) -> None:
    browser.open("/settings")
    browser.fill("#name", "Limited")
    browser.click(".limits summary")
    for field, value in (("#rate", "60"), ("#jobs", "5"), ("#storage", "10")):
        browser.fill(field, value)
    browser.click("#new-key .main")
    first = browser.text("#secret code")
    row = "#rows tr:first-child"
    assert all(words in browser.text(row) for words in ("60 requests a minute", "5 jobs at a time", "10 MiB of files"))
    browser.click(f"{row} button[aria-label^=Rotate]")
    browser.click("dialog button.danger")
    second = browser.until(
        lambda: browser.text("#secret code") != first and browser.text("#secret code"), "a new secret"
    )
    assert service_answers(service, second) == 200
    browser.until(lambda: service_answers(service, first) == 401, "the old one ended")
    browser.click(f"{row} button[aria-label^=Revoke]")
    browser.click("dialog button.danger")
    browser.until(lambda: "Limited" not in browser.text("#keys"), "it is gone")


def test_a_key_that_was_rotated_says_why_it_is_still_there(browser: Browser, service: Service) -> None:
    status, old = service.post("/api/v1/keys", {"name": "Changing over"})
    assert status == 201
    status, new = service.post(f"/api/v1/keys/{old['id']}/rotate?grace_seconds=3600")
    assert status == 201
    browser.open("/settings")
    row = browser.text("#rows tr.replaced")
    assert f"replaced by {new['key_prefix']}…; works beside it until it expires" in row
    assert "Rotate" not in row
    for key in (old, new):
        assert service.request("DELETE", f"/api/v1/keys/{key['id']}")[0] == 204


def test_a_webhook_secret_is_made_and_shown_once(browser: Browser, service: Service) -> None:
    browser.open("/settings")
    browser.fill("#name", "Sender")
    browser.click("#new-key .main")
    browser.see("#rows tr")
    shown = browser.text("#secret code")
    for opens in ("#webhook-secret", "#rows tr:first-child button[aria-label^=Webhooks]"):
        browser.click(opens)
        browser.click("dialog button.danger")
        shown = browser.until(
            lambda before=shown: browser.text("#secret code") != before and browser.text("#secret code"), "a secret"
        )
        assert shown.startswith("whsec_")
    browser.driver.refresh()
    browser.see("#rows tr")
    assert "whsec_" not in browser.driver.page_source
    browser.click("#rows tr:first-child button[aria-label^=Revoke]")
    browser.click("dialog button.danger")
    browser.until(lambda: "Sender" not in browser.text("#keys"), "it is gone")


def service_answers(service: Service, key: str) -> int:
    command = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-H", f"Authorization: Bearer {key}"]
    done = subprocess.run([*command, f"http://127.0.0.1:{service.port}/api/v1/jobs"], capture_output=True, check=True)
    return int(done.stdout)


def test_a_key_without_a_name_is_told(browser: Browser) -> None:
    browser.open("/settings")
    browser.click("#new-key .main")
    assert browser.see("#trouble .notice").get_dom_attribute("data-code") == "validation_error"
