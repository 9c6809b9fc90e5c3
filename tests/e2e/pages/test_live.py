"""The pages hear of jobs by events, and go on without them."""

from __future__ import annotations

import re
import signal

import pytest

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import enough
from tests.e2e.service import ROOT, Service, until

pytestmark = pytest.mark.browser


def asked(browser: Browser) -> list[str]:
    """The paths that this page has asked for, as often as it did, streams that are still open included."""
    browser.path()
    script = "return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).pathname)"
    return list(browser.run(script))


def shows_the_end(browser: Browser, job_id: str) -> None:
    browser.until(lambda: browser.text("#head .badge") == "completed", "it completes in sight", 60)
    browser.see("#job details")  # its result
    assert "stepping" not in browser.text("#job"), "what it was doing is no news of a finished job"
    assert "Step " not in browser.text("#job > section")
    assert "completed" in browser.all("#announcer")[0].get_property("textContent")
    assert browser.path() == f"/jobs/{job_id}"


def test_a_job_page_hears_events_and_asks_little(browser: Browser, service: Service) -> None:
    job_id = service.submit("page_news", 30)
    browser.requested()
    browser.open(f"/jobs/{job_id}")
    browser.until(lambda: "stepping" in browser.text("#job .progress"), "its stage is shown")
    with enough(service):
        shows_the_end(browser, job_id)
    assert any(address.endswith(f"/api/v1/jobs/{job_id}/events") for address in browser.requested())
    assert asked(browser).count(f"/api/v1/jobs/{job_id}") <= 3


def test_without_events_a_job_page_asks(browser: Browser, service: Service) -> None:
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/*/events*"]})
    try:
        job_id = service.submit("page_news", 30)
        browser.open(f"/jobs/{job_id}")
        browser.until(lambda: "stepping" in browser.text("#job .progress"), "its stage is shown")
        with enough(service):
            shows_the_end(browser, job_id)
    finally:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})


def test_a_job_page_survives_a_reload_of_the_service(browser: Browser, service: Service) -> None:
    job_id = service.submit("page_news", 300)
    browser.open(f"/jobs/{job_id}")
    browser.until(lambda: "stepping" in browser.text("#job .progress"), "its stage is shown")
    old = service.worker_pids()
    service.send(signal.SIGHUP)
    until(lambda: len(service.worker_pids() - old) == 2, "the new workers are there", 60)
    until(lambda: len(service.worker_pids()) == 3, "only the job's worker is left of the old ones", 60)
    with enough(service):
        shows_the_end(browser, job_id)
        until(lambda: not service.worker_pids() & old, "the new workers are alone", 60)


def test_a_finished_job_in_the_list_does_not_say_what_it_was_doing(browser: Browser, service: Service) -> None:
    job_id = service.submit("page_news", 1)
    browser.open("/jobs?kind=sample.page_news")
    row = f"#rows tr:has(a[href='/jobs/{job_id}'])"
    browser.until(lambda: "completed" in browser.text(f"{row} .badge"), "it completes in sight")
    assert browser.text(f"{row} .said") == job_id
    assert "stepping" not in browser.text(row)


@pytest.mark.parametrize(("number", "name"), [(0, "follow"), (1, "talk")], ids=["events", "websocket"])
def test_the_scripts_of_the_documentation(browser: Browser, service: Service, number: int, name: str) -> None:
    script = re.findall(r"```js\n(.*?)```", (ROOT / "docs/live.md").read_text(), re.DOTALL)[number]
    job = service.get(f"/api/v1/jobs/{service.submit('page_news', 30)}")[1]
    browser.open("/settings")
    browser.driver.delete_all_cookies()  # the ticket is enough
    tells = "(event, data) => window.told.push([event, data.links?.result])"
    browser.run(f"{script}\nwindow.told = []; {name}(arguments[0], {tells});", job)

    def told() -> list[str]:
        return [event for event, _ in browser.run("return window.told")]

    browser.until(lambda: "progress" in told(), "progress is told")
    with enough(service):
        browser.until(lambda: told()[-1] == "completed", "the end is told")
    assert told()[0] == "snapshot"
    assert browser.run("return window.told.at(-1)[1]") == job["links"]["result"]
