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
    tab.fill("#key", "wrong" + Keys.ENTER)
    assert "The key is not good" in tab.text("#problem")
    tab.fill("#key", KEY + Keys.ENTER)
    tab.until(lambda: tab.path() == "/jobs?status=failed", "the page that was asked for")
    assert tab.complaints() == []


def test_sign_out(browser: Browser) -> None:
    browser.open("/settings")
    browser.click("form[action='/sign-out'] button")
    browser.see("#key")
    browser.open("/analyze")
    assert browser.path().startswith("/sign-in")
