"""Analyze: results, problems, long work, and the request that the page shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import GOOD
from tests.e2e.pages.sample import MARKUP
from tests.e2e.service import KEY, Service

pytestmark = pytest.mark.browser


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


def test_in_a_small_window_the_result_comes_into_view(browser: Browser) -> None:
    browser.look(width=360, height=800)
    browser.open("/analyze")
    browser.fill("#text", GOOD)
    top = "return document.querySelector('#result').getBoundingClientRect().top"
    browser.click("#go")
    browser.see("#result [data-finding=sentiment]")
    assert 0 <= browser.run(top) < 800 * 0.6
    assert browser.focused().get_dom_attribute("id") == "go", "the focus stays"
    browser.run("scrollTo(0, 0)")
    assert browser.run(top) > 800 * 0.6, "it had been out of sight"


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


@pytest.mark.parametrize("name", ["a review's text.txt", 'a;b,c "d" \\e.txt'], ids=["quote", "curl's own signs"])
def test_the_request_of_the_page_sends_a_file_too(browser: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(GOOD)
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(file))
    assert name in browser.text("#chosen")
    browser.fill("#labels", "hotel;type=text/html, food")
    assert browser.text("#preview") == GOOD, "the file's beginning is shown"
    browser.click("#go")
    assert "positive" in browser.text("[data-finding=sentiment]") or "negative" in browser.text(
        "[data-finding=sentiment]"
    )
    shown = json.loads(browser.text("#answer pre"))
    assert json.loads(run_shell(browser.text("#request pre"), tmp_path))["result"] == shown["result"]
    browser.click("#chosen button")
    assert browser.see("#text").get_property("value") == ""


def run_shell(command: str, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "THETOOL_API_KEY": KEY}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_is_wrong_is_told_with_the_request_id(browser: Browser, tmp_path: Path) -> None:
    fake = tmp_path / "fake.png"
    fake.write_bytes(b"%PDF-1.7 nothing to see")
    browser.open("/analyze")
    browser.click("#go")
    notice = browser.see("#result .notice")
    assert notice.get_dom_attribute("data-code") == "empty_input"
    assert "Quote this" not in notice.text, "nothing was sent"
    browser.click("#text")
    browser.all("#file")[0].send_keys(str(fake))
    browser.see("#chosen")
    assert not browser.all("#result .notice"), "it was of what stood there before"
    assert browser.focused().get_dom_attribute("id") == "go"
    browser.run("document.activeElement.blur()")
    browser.hold(Keys.CONTROL, Keys.ENTER)
    notice = browser.see("#result .notice")
    assert notice.get_dom_attribute("data-code") == "unsupported_media_type"
    assert "This is a PDF" in notice.text
    assert re.search(r"Quote this when you ask about it: [0-9a-f]{32}", notice.text)
    browser.click("#chosen button")
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
    browser.click(".samples li:nth-child(4) button")
    assert "German" in browser.text("[data-finding=language]")
    assert "sentiment" in browser.text("[data-finding=skipped]").lower()
    assert not browser.all("[data-finding=sentiment]")


def test_nothing_to_find_is_told(browser: Browser) -> None:
    browser.open("/analyze")
    browser.fill("#text", GOOD)
    for box in browser.all("[name=task][data-kind=text]"):
        box.click()
    browser.click("#go")
    assert browser.see("#result .notice").get_dom_attribute("data-code") == "no_tasks"


def test_a_damaged_photo_is_refused_in_words_that_help(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "holiday.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(file))
    assert "This browser does not show such a picture" in browser.text("#preview")
    browser.click("#go")
    notice = browser.see("#result .notice")
    assert notice.get_dom_attribute("data-code") == "damaged_image"
    assert notice.find_element("css selector", "button").accessible_name == "Copy the request id"


def test_every_sentence_is_read_where_that_is_wished(browser: Browser) -> None:
    browser.open("/analyze")
    browser.fill("#text", GOOD)
    browser.click("[name=exhaustive]")
    browser.until(lambda: '"exhaustive":true' in browser.text("#request pre"), "the request says so")
    browser.click("#go")
    browser.see("[data-finding=topics]")


def test_an_address_is_fetched_or_read(browser: Browser) -> None:
    browser.open("/analyze")
    browser.fill("#text", "https://127.0.0.1/photo.jpg")
    browser.until(lambda: '{"url":"https://127.0.0.1/photo.jpg"}' in browser.text("#request pre"), "it is an address")
    assert browser.text("[data-for=image] legend") == "What to find in a photo"
    browser.click("#go")
    assert browser.see("#result .notice").get_dom_attribute("data-code"), "a private address is nobody's to fetch"
    browser.click("#address input")
    browser.until(lambda: '{"text":"https://127.0.0.1/photo.jpg"}' in browser.text("#request pre"), "it is a text")


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
    assert status in (200, 202), answer  # a short text may be done before it is asked how far it is
    browser.open("/jobs?kind=analyze.text")
    browser.click("#rows tr a")
    browser.click("a[href^='/analyze?job=']")
    assert "English" in browser.text("[data-finding=language]")
