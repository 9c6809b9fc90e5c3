"""The live list of jobs and the page of each; what happens when the service is away or the tab hidden."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import enough
from tests.e2e.pages.sample import MARKUP
from tests.e2e.service import Service

pytestmark = pytest.mark.browser


def test_the_list_of_jobs_is_live(browser: Browser, service: Service) -> None:
    browser.open("/jobs?kind=sample.page_steps")
    browser.see("#empty")
    job_id = service.submit("page_steps", 30)
    row = f"#rows tr:has(a[href='/jobs/{job_id}'])"
    browser.see(row)
    browser.until(lambda: "stepping" in browser.text(row), "its stage is shown")
    browser.until(lambda: MARKUP in browser.text(f"{row} .said"), "its message is shown as it is")
    with enough(service):
        browser.until(lambda: "completed" in browser.text(f"{row} .badge"), "it completes in sight")
    assert browser.all("#rows img") == []


def test_jobs_are_filtered_and_leafed_through(browser: Browser, service: Service) -> None:
    for _ in range(27):
        service.submit("polite", 0)
    browser.open("/jobs")
    browser.run("document.querySelector('#kind-filter').value = 'sample.polite'")
    browser.run("document.querySelector('#filters').dispatchEvent(new Event('change'))")
    browser.until(lambda: len(browser.all("#rows tr")) == 25, "a page of 25")
    assert browser.path() == "/jobs?kind=sample.polite"
    browser.click("#older")
    browser.until(lambda: len(browser.all("#rows tr")) == 2, "the rest")
    assert "cursor=" in browser.path()
    browser.click("#newest")
    browser.until(lambda: len(browser.all("#rows tr")) == 25, "the first page again")


def test_a_failed_job_tells_why_and_is_deleted_on_request(browser: Browser, service: Service) -> None:
    job_id = service.submit("failing", 0)
    browser.open(f"/jobs/{job_id}")
    assert f"broken {MARKUP}" in browser.text(".notice")
    browser.click("details summary")
    assert "RuntimeError" in browser.text("details[open] pre")
    browser.click("#head .danger")
    browser.see("dialog[open]")
    browser.press(Keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "the question is gone")
    assert service.get(f"/api/v1/jobs/{job_id}")[0] == 200
    browser.click("#head .danger")
    browser.click("dialog button.danger")
    browser.until(lambda: browser.path() == "/jobs", "back to the list")
    assert service.get(f"/api/v1/jobs/{job_id}")[0] == 404


def test_a_failed_job_is_run_again(browser: Browser, service: Service) -> None:
    job_id = service.submit("failing", 0)
    browser.open(f"/jobs/{job_id}")
    browser.see("#job .notice")
    before = service.get(f"/api/v1/jobs/{job_id}")[1]["finished_at"]
    browser.click("#again")
    browser.until(lambda: (service.get(f"/api/v1/jobs/{job_id}")[1]["finished_at"] or before) > before, "it ran again")
    browser.until(lambda: browser.text("#head .badge") == "failed", "it fails again in sight")
    browser.see("#job .notice")


def test_what_was_asked_is_told_in_words(browser: Browser, service: Service) -> None:
    status, answer = service.request(
        "POST", "/analyze?wait=0", {"text": "A fine day in Rome.", "labels": ["sun", "sea"]}
    )
    assert status in (200, 202), answer  # a short text may be done at once; its id is the job's in any case
    browser.open(f"/jobs/{answer['id']}")
    asked = browser.text("#asked")
    for words in ("sentiment, language", "sun, sea", "A fine day in Rome."):
        assert words in asked
    assert "cache_key" not in browser.driver.page_source


def test_a_running_job_is_cancelled_on_its_page(browser: Browser, service: Service) -> None:
    job_id = service.submit("page_steps", 300)
    browser.open(f"/jobs/{job_id}")
    browser.until(lambda: "stepping" in browser.text("#job .progress"), "its stage is shown")
    browser.click("#head .button")
    browser.click("dialog button.danger")
    browser.until(lambda: browser.text("#head .badge") == "cancelled", "it is cancelled in sight")
    service.until_job(job_id, "cancelled")


def test_a_job_of_nobody_is_told(browser: Browser) -> None:
    browser.open("/jobs/00000000-0000-7000-8000-00000000dead")
    assert browser.see(".notice").get_dom_attribute("data-code") == "not_found"
    assert not browser.all("[aria-busy=true]"), "what is told is not paled"


def test_a_service_that_is_away_is_told_and_comes_back(browser: Browser, service: Service) -> None:
    job_id = service.submit("page_steps", 300)
    browser.open(f"/jobs/{job_id}")
    browser.until(lambda: "stepping" in browser.text("#job .progress"), "its stage is shown")
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    assert "cannot be reached" in browser.text("#job .notice")
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
    browser.until(lambda: not browser.all("#job .notice"), "it goes on by itself")
    assert service.request("POST", f"/api/v1/jobs/{job_id}/cancel")[0] in {200, 202}
    browser.until(lambda: browser.text("#head .badge") == "cancelled", "it is followed again")


def test_a_hidden_tab_asks_nothing(browser: Browser) -> None:
    browser.open("/settings")
    counts = browser.driver.execute_async_script(
        """
        const done = arguments[0];
        const turns = async (number) => { for (; number; number--) await new Promise((next) => setTimeout(next)); };
        let hidden = true;
        Object.defineProperty(document, "hidden", { get: () => hidden });
        const address = document.querySelector("script[type=module]").src.replace(/[^/]+$/, "live.js");
        import(address).then(async ({ repeat }) => {
          const stop = new AbortController();
          let asked = 0;
          repeat(() => { asked += 1; }, 0, stop.signal);
          await turns(20);
          const before = asked;
          hidden = false;
          document.dispatchEvent(new Event("visibilitychange"));
          await turns(20);
          stop.abort();
          const after = asked;
          await turns(20);
          done([before, after, asked - after]);
        });
        """
    )
    assert counts[0] == 0
    assert counts[1] > 1
    assert counts[2] == 0
