"""The pages in a real browser, on a real service."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.conftest import migrated_database
from tests.e2e.browser import Browser, chromium
from tests.e2e.pages_sample import MARKUP
from tests.e2e.service import KEY, Service

pytestmark = pytest.mark.browser

GOOD = "The room was lovely and the staff were wonderful. Breakfast was a horrible disappointment."
RAIL = ["/analyze", "/jobs", "/settings"]
LOOKS = (Path(__file__).parent / "looks.js").read_text()
SHIFTS = """
const done = arguments[0];
new PerformanceObserver((list) => done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))
  .observe({ type: "layout-shift", buffered: true });
setTimeout(() => done(0), 300);
"""


@pytest.fixture(scope="module")
def service(postgres_url: str, weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service that also has jobs to look at."""
    with migrated_database(postgres_url) as url:
        service = Service(tmp_path_factory.mktemp("pages"), url, WEIGHTS_DIR=weights_dir)
        try:
            yield service.launch_and_wait("-m", "gunicorn", "tests.e2e.pages_sample:app")
        finally:
            service.destroy()


@pytest.fixture(scope="module")
def tab(service: Service) -> Iterator[Browser]:
    """One browser for all tests, signed in; at the end, nothing was asked of anybody else."""
    with chromium(f"http://127.0.0.1:{service.port}") as browser:
        yield browser
        ours = (f"{browser.origin}/", "data:", "chrome:")  # the last: the empty tab that Chromium begins with
        elsewhere = {address for address in browser.requested() if not address.startswith(ours)}
        assert not elsewhere


@pytest.fixture
def browser(tab: Browser) -> Iterator[Browser]:
    """The browser, signed in with a fresh session; the console must have nothing to complain about."""
    tab.look()
    tab.driver.delete_all_cookies()
    tab.open("/sign-in?next=/settings")
    tab.run("sessionStorage.clear()")
    tab.fill("#key", KEY + Keys.ENTER)
    tab.until(lambda: tab.path() == "/settings", "signed in")
    yield tab
    assert tab.complaints() == []


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


def test_a_text_is_analysed(browser: Browser) -> None:
    browser.open("/")
    assert browser.path() == "/analyze"
    browser.fill("#text", GOOD)
    browser.click("[name=sentences]")
    browser.click("#go")
    assert re.search(r"(positive|neutral|negative) [+−]?\d\.\d\d", browser.text("[data-finding=sentiment] .value"))
    assert "English" in browser.text("[data-finding=language]")
    assert browser.all("[data-finding=topics] dt")
    assert "words\n14" in browser.text("[data-finding=statistics]")
    assert "Apache-2.0" in browser.text("[data-finding=models]")
    tones = [sentence.get_dom_attribute("data-tone") for sentence in browser.all(".sentence")]
    assert tones == ["positive", "negative"]
    answer = json.loads(browser.text("#answer pre"))
    assert answer["status"] == "completed"
    assert not browser.see("#request").find_elements("css selector", "[hidden]")
    assert not browser.all("#samples")[0].is_displayed()


def test_the_request_of_the_page_gives_the_same_answer(browser: Browser, tmp_path: Path) -> None:
    browser.open("/analyze")
    browser.fill("#text", 'It\'s "fine" & costs $HOME; `no` \\ really, a wonderful délice!\nSecond line.')
    browser.fill("#labels", "food, someone's price")
    browser.click("[name=task][value=statistics]")
    browser.click("#go")
    shown = json.loads(browser.text("#answer pre"))
    answered = json.loads(run_shell(browser.text("#request pre"), tmp_path))
    assert "statistics" not in shown["result"]
    assert set(shown["result"]["topics"]["scores"]) == {"food", "someone's price"}
    assert answered["result"] == shown["result"]


def test_the_request_of_the_page_sends_a_file_too(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "a review's text.txt"
    file.write_text(GOOD)
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(file))
    assert "a review's text.txt" in browser.text("#chip")
    browser.until(lambda: browser.see("#text").get_property("value") == GOOD, "the file's beginning is shown")
    browser.click("#go")
    assert "positive" in browser.text("[data-finding=sentiment]") or "negative" in browser.text(
        "[data-finding=sentiment]"
    )
    shown = json.loads(browser.text("#answer pre"))
    assert json.loads(run_shell(browser.text("#request pre"), tmp_path))["result"] == shown["result"]
    browser.click("#chip button")
    assert browser.see("#text").get_property("value") == ""


def run_shell(command: str, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "THETOOL_KEY": KEY}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_is_wrong_is_told_with_the_request_id(browser: Browser) -> None:
    browser.open("/analyze")
    browser.click("#go")
    notice = browser.see("#result .notice")
    assert notice.get_dom_attribute("data-code") == "empty_input"
    assert re.search(r"Quote this when you ask about it: [0-9a-f]{32}", notice.text)
    browser.fill("#text", GOOD)
    browser.click("#go")
    browser.see("[data-finding=sentiment]")
    assert not browser.all("#result .notice")


def test_words_never_become_markup(browser: Browser) -> None:
    browser.open("/analyze")
    browser.fill("#text", f"I love {MARKUP} so much. <script>alert(2)</script> is a terrible, awful thing.")
    browser.fill("#labels", f"{MARKUP}, love")
    browser.click("[name=sentences]")
    browser.click("#go")
    assert MARKUP in browser.text("[data-finding=sentiment] .sentences")
    assert MARKUP in browser.text("[data-finding=topics]")
    assert not browser.all("#result img, #result script, #answer img")


def test_every_sample_gives_what_it_promises(browser: Browser) -> None:
    found = []
    for number in (1, 2, 3):
        browser.open("/analyze?")
        browser.click("#clear")
        browser.click(f".samples li:nth-child({number}) button")
        found.append({topic.text for topic in browser.until(lambda: browser.all("[data-finding=topics] dt"), "topics")})
    assert "travel" in found[0]
    assert found[1] == {"refund", "delivery", "praise"}
    assert "science" in found[2]


def test_a_language_without_a_model_says_so(browser: Browser) -> None:
    browser.open("/analyze")
    browser.click(".samples li:last-child button")
    assert "German" in browser.text("[data-finding=language]")
    assert "sentiment" in browser.text("[data-finding=skipped]").lower()
    assert not browser.all("[data-finding=sentiment]")


def test_long_work_shows_progress_survives_a_reload_and_can_be_cancelled(browser: Browser, service: Service) -> None:
    browser.open("/analyze")
    text = " ".join(f"Sentence {number} is about the hotel, its rooms and breakfast." for number in range(40_000))
    browser.paste("#text", text)
    browser.click("#go")
    browser.see("#working [role=progressbar]")
    address = browser.until(lambda: browser.path() if "?job=" in browser.path() else None, "the job is in the address")
    browser.driver.refresh()
    assert browser.path() == address
    bar = browser.see("#working [role=progressbar]")
    browser.until(lambda: int(bar.get_dom_attribute("aria-valuenow")) >= 1, "it goes on", 60)
    browser.click("#working button")
    assert "It was cancelled" in browser.text("#result .notice")
    assert service.job(address.rpartition("=")[2])["status"] == "cancelled"


def test_a_finished_job_is_shown_in_analyze(browser: Browser, service: Service) -> None:
    status, answer = service.request("POST", "/analyze?wait=0", {"text": GOOD + " Unseen before."})
    assert status == 202, answer
    browser.open("/jobs?kind=analyze.text")
    browser.click("#rows tr a")
    browser.click("a[href^='/analyze?job=']")
    assert "English" in browser.text("[data-finding=language]")


def test_the_list_of_jobs_is_live(browser: Browser, service: Service) -> None:
    browser.open("/jobs?kind=sample.steps")
    browser.see("#empty")
    job_id = service.submit("steps", 6)
    row = f"#rows tr:has(a[href='/jobs/{job_id}'])"
    browser.see(row)
    browser.until(lambda: "stepping" in browser.text(row), "its stage is shown")
    browser.until(lambda: MARKUP in browser.text(f"{row} .said"), "its message is shown as it is")
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
    browser.click("#head .button")
    browser.see("dialog[open]")
    browser.press(Keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "the question is gone")
    assert service.get(f"/api/v1/jobs/{job_id}")[0] == 200
    browser.click("#head .button")
    browser.click("dialog button.danger")
    browser.until(lambda: browser.path() == "/jobs", "back to the list")
    assert service.get(f"/api/v1/jobs/{job_id}")[0] == 404


def test_a_running_job_is_cancelled_on_its_page(browser: Browser, service: Service) -> None:
    job_id = service.submit("steps", 300)
    browser.open(f"/jobs/{job_id}")
    browser.until(lambda: "stepping" in browser.text("#job .progress"), "its stage is shown")
    browser.click("#head .button")
    browser.click("dialog button.danger")
    browser.until(lambda: browser.text("#head .badge") == "cancelled", "it is cancelled in sight")
    service.until_job(job_id, "cancelled")


def test_a_job_of_nobody_is_told(browser: Browser) -> None:
    browser.open("/jobs/00000000-0000-7000-8000-00000000dead")
    assert browser.see(".notice").get_dom_attribute("data-code") == "not_found"


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
    browser.click("#rows button")
    browser.click("dialog button.danger")
    browser.until(lambda: browser.see("#none"), "the key is gone")
    browser.until(lambda: service_answers(service, secret) == 401, "it opens nothing any more")


def service_answers(service: Service, key: str) -> int:
    command = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-H", f"Authorization: Bearer {key}"]
    done = subprocess.run([*command, f"http://127.0.0.1:{service.port}/api/v1/jobs"], capture_output=True, check=True)
    return int(done.stdout)


def test_a_key_without_a_name_is_told(browser: Browser) -> None:
    browser.open("/settings")
    browser.click("#new-key .main")
    assert browser.see("#trouble .notice").get_dom_attribute("data-code") == "validation_error"


def test_everything_by_keyboard(tab: Browser) -> None:
    """From signing in to a result, and every control on the way shows that it has the focus."""
    tab.driver.delete_all_cookies()
    tab.open("/sign-in")
    tab.run("sessionStorage.clear()")
    tab.press(KEY, Keys.ENTER)
    tab.see("#text")
    tab.press(Keys.TAB)
    assert tab.focused().text == "Skip to the content"
    tab.press(Keys.ENTER, Keys.TAB)
    assert tab.focused().get_dom_attribute("id") == "text"
    tab.press(GOOD)
    tab.hold(Keys.CONTROL, Keys.ENTER)
    tab.see("[data-finding=sentiment]")
    tab.until(
        lambda: tab.all("#announcer")[0].get_property("textContent").startswith("Done:"), "the result is announced"
    )
    tab.open("/analyze")
    seen = set()
    for _ in range(60):
        tab.press(Keys.TAB)
        focus = tab.focused()
        if focus.tag_name == "body":
            break
        seen.add(focus.get_dom_attribute("id") or focus.get_dom_attribute("name") or focus.get_dom_attribute("href"))
        assert tab.run(VISIBLE_FOCUS, focus), focus.get_attribute("outerHTML")
    assert {"text", "choose", "task", "labels", "sentences", "go", "clear", "/jobs", "/settings", "/docs"} <= seen


VISIBLE_FOCUS = """
const shown = (node) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(node);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
};
return shown(arguments[0]) || Boolean(arguments[0].closest(".drop") && shown(arguments[0].closest(".drop")));
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(browser: Browser, service: Service, scheme: str) -> None:
    """Contrast of at least AA for every text, border and mark, at both widths; no page is wider than the screen."""
    failed = service.submit("failing", 0)
    service.until_job(failed, "failed")
    for width in (1440, 360):
        browser.look(scheme=scheme, width=width)
        browser.open("/analyze")
        browser.see("#samples")
        assert browser.run(LOOKS) == []
        browser.click(".sample")
        browser.see("[data-finding=statistics]")
        assert browser.run(LOOKS) == []
        for path, ready in ((f"/jobs/{failed}", ".notice"), ("/jobs", "#rows tr"), ("/settings", "#none")):
            browser.open(path)
            browser.see(ready)
            browser.until(lambda: "well" in browser.text("#status"), "the status line")
            assert browser.run(LOOKS) == [], path
    browser.driver.delete_all_cookies()
    browser.open("/sign-in")
    browser.fill("#key", "wrong" + Keys.ENTER)
    browser.see("#problem")
    assert browser.run(LOOKS) == []


def test_every_control_has_a_name(browser: Browser) -> None:
    for path in RAIL:
        browser.open(path)
        browser.until(lambda: not browser.all("tbody[aria-busy]"), "the lists are there")
        for control in browser.all("a, button, input:not([type=hidden]), select, textarea"):
            if not control.is_displayed():
                continue
            assert control.accessible_name, control.get_attribute("outerHTML")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", RAIL)
def test_nothing_moves_while_a_page_loads(browser: Browser, path: str, width: int) -> None:
    browser.look(width=width)
    browser.open(path)
    browser.until(lambda: not browser.all("tbody[aria-busy]"), "the lists are there")
    browser.until(lambda: "well" in browser.text("#status"), "the status line")
    assert browser.driver.execute_async_script(SHIFTS) == pytest.approx(0, abs=0.005)


def test_a_service_that_is_away_is_told_and_comes_back(browser: Browser, service: Service) -> None:
    job_id = service.submit("steps", 300)
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


def test_nothing_to_find_is_told(browser: Browser) -> None:
    browser.open("/analyze")
    browser.fill("#text", GOOD)
    for box in browser.all("[name=task]"):
        box.click()
    browser.click("#go")
    assert browser.see("#result .notice").get_dom_attribute("data-code") == "no_tasks"


def test_what_is_too_large_is_told_without_sending_it(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "large.txt"
    file.write_bytes(b"")
    os.truncate(file, 50 * 2**20 + 1)
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(file))
    browser.click("#go")
    notice = browser.see("#result .notice")
    assert notice.get_dom_attribute("data-code") == "too_large"
    assert "large.txt has 50 MiB" in notice.text
