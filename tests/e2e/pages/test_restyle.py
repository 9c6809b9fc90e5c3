"""The page Restyle in an installation that cannot restyle: it says what to do, and is ready once somebody can."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.service import Service
from thetool.database.ids import new_id
from thetool.jobs.queue import Queue
from thetool.restyle.jobs import has_packages

pytestmark = pytest.mark.browser


@pytest.fixture
def elsewhere(service: Service) -> Iterator[Callable[[bool], None]]:
    """Lets a worker of another copy offer restyling, or drain."""
    queue, worker = Queue(str(service.database_url)), new_id()

    def say(offers: bool) -> None:
        told = {"host": "gpu", "pid": 1, "version": "", "slots": 1, "running": 0}
        queue.heartbeat(worker, kinds=["restyle.run"], draining=not offers, **told)

    yield say
    queue.leave(worker)
    queue.close()


def test_who_is_alone_learns_what_to_do_and_the_page_is_ready_by_itself(
    browser: Browser, elsewhere: Callable[[bool], None]
) -> None:
    browser.open("/restyle")
    if not has_packages():  # in the environment with torch only the models are missing
        assert ".venv/bin/pip install -r requirements-gpu.txt" in browser.text("#unavailable")
    assert ".venv/bin/thetool weights pull restyle" in browser.text("#unavailable")
    button = browser.see("#go")
    assert not button.is_enabled()
    assert "see above" in browser.text("#why-not")
    browser.click("#sample")
    browser.until(lambda: "drawn-room" in browser.text("#name"), "a photo")
    browser.hold(Keys.CONTROL, Keys.ENTER)
    assert browser.all("#result > *") == [], "nothing was sent"

    elsewhere(True)
    browser.until(button.is_enabled, "ready without a reload")
    assert not browser.all("#unavailable")[0].is_displayed()
    elsewhere(False)
    time.sleep(1.1)  # so long an offer that was seen is believed
    browser.click("#go")
    assert "Nobody can restyle" in browser.text("#result .notice")
    assert browser.see("#unavailable")
    assert not button.is_enabled()


def test_all_wishes_are_in_the_request_and_a_cancelled_job_can_be_sent_again(
    browser: Browser, elsewhere: Callable[[bool], None]
) -> None:
    elsewhere(True)
    browser.open("/restyle")
    browser.click("#sample")
    browser.click(".more summary")
    for field, words in (("negative_prompt", "carpet"), ("color_palette", "#e9e2d6"), ("steps", "12")):
        browser.fill(f"#{field}", words)
    request = browser.text("#request pre")
    assert all(part in request for part in ("negative_prompt=carpet", "color_palette=#e9e2d6", "steps=12"))
    browser.click("#go")
    assert not browser.see("#go").is_enabled(), "one at a time"
    browser.click("#working button")
    assert "cancelled" in browser.text("#result .notice")
    browser.until(browser.see("#go").is_enabled, "it can be sent again")
