"""Many files at once in Analyze: chosen, sent as a batch, followed, shown one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import GOOD, LOOKS, STRUCTURE
from tests.e2e.pages.test_analyze import run_shell
from thetool.pages.analyze import PHOTOS
from thetool.pages.assets import FOLDER

pytestmark = pytest.mark.browser


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two photos, a text, and a PDF that says that it is a picture."""
    photos = [FOLDER / "photos" / f"{photo.name}.jpg" for photo in PHOTOS]
    text, fake = tmp_path / "review.txt", tmp_path / "fake.png"
    text.write_text(f"{GOOD} We were many.")  # what no other test has sent: that would be answered at once
    fake.write_bytes(b"%PDF-1.7 nothing to see")
    return [*photos, text, fake]


def choose(browser: Browser, files: list[Path]) -> None:
    browser.open("/analyze")
    browser.all("#file")[0].send_keys("\n".join(map(str, files)))
    browser.until(lambda: len(browser.all("#chosen li")) == len(files), "all are chosen")


def finished(browser: Browser) -> str:
    browser.until(
        lambda: browser.see("#result .many .button:not([hidden])").text == "Download the answers", "all is over"
    )
    return browser.text("#result .many h2")


def test_many_files_are_analysed_and_shown_one_by_one(browser: Browser, files: list[Path]) -> None:
    choose(browser, files)
    assert browser.text("#size").startswith("4 files · ")
    assert all(browser.see(f"[data-for={kind}]") for kind in ("text", "image"))
    browser.look(width=1280, height=900)
    below = "const edge = (one) => document.querySelector(one).getBoundingClientRect();"
    assert browser.run(f"{below} return edge('#go').bottom <= edge('.status-line').top"), "the button is in sight"
    browser.look()
    browser.click("#go")
    assert finished(browser) == "3 of 4 files done · 1 failed"
    said = {tile.text.partition("\n")[0]: tile.text.partition("\n")[2] for tile in browser.all(".tile")}
    assert "espresso" in said["coffee.jpg"]
    assert "English" in said["review.txt"]
    assert "This is a PDF" in said["fake.png"]
    assert browser.all(".tile b")[0].text == "fake.png", "what failed is first"
    assert len(browser.all(".tile[aria-current=true]")) == 1, "the first that was there is shown by itself"
    browser.click("li:nth-child(4) > .tile")
    assert "English" in browser.text("[data-finding=language]")
    assert json.loads(browser.text("#answer pre"))["kind"] == "text"
    browser.press(Keys.HOME, Keys.ENTER)
    assert browser.see("#result .notice").get_dom_attribute("data-code") == "unsupported_media_type"
    assert browser.run(LOOKS) == []
    assert browser.run(STRUCTURE) == []
    browser.driver.refresh()
    assert finished(browser) == "3 of 4 files done · 1 failed"
    browser.see(".tile img")  # the service's small pictures
    browser.run("sessionStorage.clear()")
    address = browser.path()
    batch = address.partition("=")[2].partition("&")[0]
    browser.open(f"/jobs?batch_id={batch}")
    browser.click("#batch-results")
    browser.see(".tile")
    assert browser.path() == f"/analyze?batch={batch}", "another tab finds the jobs of the batch"
    browser.open(address)
    browser.until(lambda: "answered at once, in the browser" in browser.text("#result"), "it says why")


def test_the_request_of_the_page_sends_the_same_files(browser: Browser, files: list[Path], tmp_path: Path) -> None:
    for file in files[:2]:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    choose(browser, files[:2])
    browser.click("[name=task][value=labels]")
    answered = json.loads(run_shell(browser.text("#request pre"), tmp_path))
    assert [item["filename"] for item in answered["results"]] == ["coffee.jpg", "cat.jpg"]
    assert all("labels" not in item["analysis"]["result"] for item in answered["results"])


def test_files_come_and_go(browser: Browser, files: list[Path]) -> None:
    choose(browser, files)
    browser.all("#file")[0].send_keys(str(files[0]))
    assert len(browser.all("#chosen li")) == 4, "the same file twice is one"
    browser.click("#chosen li:nth-child(2) button")
    assert browser.focused().accessible_name == "Take review.txt away"
    for name in ("review.txt", "fake.png", "coffee.jpg"):
        assert browser.focused().accessible_name == f"Take {name} away"
        browser.press(Keys.ENTER)
    assert browser.focused().get_dom_attribute("id") == "choose"
    assert browser.see("#text")


def test_texts_and_photos_with_analyses_of_their_own_go_apart(browser: Browser, files: list[Path]) -> None:
    choose(browser, files[:3])
    browser.click("[name=task][value=statistics]")
    browser.click("[name=task][value=quality]")
    lines = browser.text("#request pre").split("\n\n")
    assert ["files=@coffee.jpg" in line for line in lines] == [True, False]
    assert ["tasks=sentiment,language,topics'" in line for line in lines] == [False, True]
    browser.click("#go")
    assert finished(browser) == "3 of 3 files done"


def test_a_folder_is_dropped(browser: Browser) -> None:
    browser.open("/analyze")
    names = browser.driver.execute_async_script(
        """
        const done = arguments[0];
        const text = (name) => new File(["words"], name, { type: "text/plain" });
        const file = (name) => ({ name, isFile: true, file: (give) => give(text(name)) });
        const folder = (name, inside) => ({
          name, isDirectory: true,
          createReader: () => { let left = [inside]; return { readEntries: (give) => give(left.shift() ?? []) }; },
        });
        const tree = folder("all", [file("b10.txt"), file("b9.txt"), file(".hidden"), folder("deep", [file("c.txt")])]);
        const item = { kind: "file", webkitGetAsEntry: () => tree };
        const address = document.querySelector("script[type=module]").src.replace(/[^/]+$/, "dropped.js");
        import(address)
          .then(({ filesOf }) => filesOf({ items: [item], files: [] }))
          .then((files) => done(files.map(({ name }) => name)), (error) => done(String(error)));
        """
    )
    assert names == ["b9.txt", "b10.txt", "c.txt"]


def test_all_can_be_stopped(browser: Browser, tmp_path: Path) -> None:
    words = " ".join(f"Sentence {number} is about the hotel, its rooms and breakfast." for number in range(20_000))
    files = [tmp_path / f"book {number}.txt" for number in range(3)]
    for number, file in enumerate(files):
        file.write_text(f"Book {number}. {words}")
    choose(browser, files)
    browser.click("[name=exhaustive]")
    browser.click("#go")
    browser.until(lambda: "batch=" in browser.path(), "they are sent")
    browser.click("#result .many .button")
    browser.until(lambda: "3 cancelled" in browser.text("#result .many h2"), "they are cancelled in sight")
