"""Signing in and out."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.service import KEY

pytestmark = pytest.mark.browser


def test_a_wrong_key_is_told_and_the_right_one_leads_on(tab: Browser) -> None:
    tab.driver.delete_all_cookies()
    tab.open("/jobs?status=failed")
    assert tab.path() == "/sign-in?next=/jobs?status%3Dfailed"
    tab.until(lambda: tab.focused().get_dom_attribute("id") == "key", "the field has the focus by itself")
    tab.fill("#key", "wrong" + Keys.ENTER)
    assert "The key is not good" in tab.text("#problem")
    tab.fill("#key", KEY + Keys.ENTER)
    tab.until(lambda: tab.path() == "/jobs?status=failed", "the page that was asked for")
    assert tab.complaints() == []


def test_sign_out(browser: Browser) -> None:
    browser.open("/analyze")
    browser.fill("#text", "My secret draft")
    browser.until(lambda: "draft" in browser.run("return sessionStorage.getItem('analyze.draft') ?? ''"), "it is kept")
    browser.open("/settings")
    browser.click("form[action='/sign-out'] button")
    browser.see("#key")
    assert browser.run("return sessionStorage.length") == 0
    browser.open("/analyze")
    assert browser.path().startswith("/sign-in")


def test_who_is_not_signed_in_asks_for_nothing_in_vain(tab: Browser) -> None:
    tab.driver.delete_all_cookies()
    tab.open("/sign-in")
    tab.see("#key")
    tab.until(
        lambda: tab.run("return performance.getEntriesByType('resource').some(({name}) => name.endsWith('/sign-in'))"),
        "it looked",
    )
    refused = [line["message"] for line in tab.driver.get_log("browser") if line["source"] == "network"]
    assert refused == []


def test_a_link_from_elsewhere_leads_on_when_signed_in(browser: Browser) -> None:
    """Browsers keep the cookie back on a first visit from another site; the page then looks by itself."""
    browser.driver.get(f"data:text/html,<a id=go href='{browser.origin}/jobs'>jobs</a>")
    browser.click("#go")
    browser.until(lambda: browser.path() == "/jobs", "the page that the link names")
