"""A photo in Analyze: what was found, drawn over it, reached by pointer and by keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import LOOKS, STRUCTURE

pytestmark = pytest.mark.browser
COFFEE, CAT = ".sample[data-name='coffee.jpg']", ".sample[data-name='cat.jpg']"
BOX = """
const [mark, image] = [arguments[0], document.querySelector(".stage img")].map((node) => node.getBoundingClientRect());
return [(mark.left - image.left) / image.width, (mark.top - image.top) / image.height,
        (mark.right - image.left) / image.width, (mark.bottom - image.top) / image.height];
"""


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of two lines of text, as a TIFF, which browsers do not show."""
    image = Image.new("RGB", (640, 240), "white")
    pen = ImageDraw.Draw(image)
    for line, words in enumerate(("Dear Ada,", "the parcel arrived today.")):
        pen.text((40, 40 + 90 * line), words, fill="black", font=ImageFont.load_default(40))
    path = tmp_path_factory.mktemp("letter") / "letter.tiff"
    image.save(path)
    return path


@pytest.fixture
def cat(browser: Browser) -> Iterator[Browser]:
    """The sample photo of a cat, analysed."""
    browser.open("/analyze")
    browser.click(CAT)
    browser.see(".mark")
    yield browser
    browser.look()


def test_a_photo_is_shown_with_all_that_was_found(browser: Browser) -> None:
    browser.open("/analyze")
    browser.click(COFFEE)
    assert "espresso" in browser.text("[data-finding=labels] .value")
    for part in ("objects", "palette", "quality", "info"):
        assert browser.see(f"[data-finding={part}]")
    assert not browser.all("[data-finding=text]"), "only when it is asked for"
    assert "600 × 400" in browser.text("[data-finding=info]")
    assert browser.see(".stage img").get_dom_attribute("alt") == "The photo coffee.jpg"
    assert browser.all("#announcer")[0].get_property("textContent").startswith("Done: espresso")
    answer = json.loads(browser.text("#answer pre"))
    colours = [colour["hex"] for colour in answer["result"]["palette"]["colours"]]
    assert [code.text for code in browser.all(".colour code")] == colours


def test_boxes_are_where_the_answer_says(cat: Browser) -> None:
    answer = json.loads(cat.text("#answer pre"))["result"]
    width, height = answer["info"]["width"], answer["info"]["height"]
    marks = cat.all(".mark")
    assert len(marks) == len(answer["objects"]["items"]) >= 1
    for mark, found in zip(marks, answer["objects"]["items"], strict=True):
        left, top, right, bottom = found["box"]
        wanted = [left / width, top / height, right / width, bottom / height]
        assert cat.run(BOX, mark) == pytest.approx(wanted, abs=0.01)
        assert mark.accessible_name.startswith(f"{found['label']} {round(found['confidence'] * 100)} %")


def test_a_narrow_box_keeps_its_number(cat: Browser) -> None:
    fits = """
    const mark = document.querySelector(".mark");
    mark.style.setProperty("--wide", 0.02);
    mark.querySelector(".name").textContent = "a long name of a thing in the photo";
    const [words, number] = [".words", ".number"].map((one) => mark.querySelector(one).getBoundingClientRect());
    return number.width > 20 && number.right <= words.right;
    """
    assert cat.run(fits)


def test_boxes_are_gone_through_by_keys(cat: Browser) -> None:
    first = cat.all(".mark")[0]
    cat.run("document.querySelector('.outcome-head').tabIndex = 0; document.querySelector('.outcome-head').focus()")
    cat.press(Keys.TAB)
    assert cat.focused() == first
    assert first.get_dom_attribute("aria-selected") == "true"
    row = cat.all("[data-finding=objects] dt")[0]
    assert "lit" in (row.get_dom_attribute("class") or ""), "its line in the list is lit as well"
    cat.press(Keys.END)
    assert cat.focused() == cat.all(".mark")[-1]
    cat.press(Keys.HOME)
    assert cat.focused() == first
    cat.press(Keys.ESCAPE)
    assert first.get_dom_attribute("aria-selected") == "false"
    cat.press(Keys.TAB)
    assert cat.focused().get_dom_attribute("type") == "radio", "all boxes are one stop"


def test_boxes_stay_below_what_sticks_to_the_window(cat: Browser) -> None:
    """Half of the photo lies behind the status line; the box over it is lit, which dims all around it."""
    covered = """
    document.querySelector(".mark").focus({preventScroll: true});
    const line = document.querySelector(".status-line");
    const [stage, edge] = [document.querySelector(".stage"), line].map((node) => node.getBoundingClientRect());
    scrollBy({top: stage.top + stage.height / 2 - edge.top, behavior: "instant"});
    const {left, width, top, height} = document.querySelector(".stage").getBoundingClientRect();
    const found = document.elementFromPoint(left + width / 2, (edge.top + edge.bottom) / 2);
    return top < edge.top && edge.bottom < top + height && line.contains(found);
    """
    assert cat.run(covered)


def test_pointing_at_a_line_lights_its_box(cat: Browser) -> None:
    row = cat.see("[data-finding=objects] dt")
    cat.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", row)
    ActionChains(cat.driver).move_to_element(row).perform()
    cat.until(lambda: "lit" in cat.all(".mark")[0].get_dom_attribute("class"), "its box is lit")
    cat.click(".segments label:last-child")
    assert not cat.all(".mark")[0].is_displayed(), "nothing is drawn where that is wished"


def test_text_in_a_picture_that_browsers_do_not_show(browser: Browser, letter: Path) -> None:
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(letter))
    assert "the service may read it" in browser.text("#preview")
    browser.click("[name=task][data-kind=image][value=text]")
    browser.click("[name=annotate]")
    browser.click("#go")
    lines = browser.until(lambda: [line.text for line in browser.all("[data-finding=text] li")], "the text is read")
    assert lines == ["Dear Ada,", "the parcel arrived today."]
    image = browser.see(".stage img")
    browser.until(lambda: image.get_property("naturalWidth") == 320, "the service's small picture is shown instead")
    browser.click("[data-finding=text] button")
    browser.until(lambda: "Copied" in browser.all("#announcer")[0].get_property("textContent"), "it is copied")
    address = browser.see(".picture a").get_property("href")
    script = (
        "const [url, done] = arguments; fetch(url).then((one) => done([one.status, one.headers.get('Content-Type')]))"
    )
    assert browser.driver.execute_async_script(script, address) == [200, "image/jpeg"]
    browser.driver.refresh()
    browser.until(lambda: len(browser.all(".marks[data-layer=Text] .mark")) == 2, "a reload brings all of it back")


def test_what_cannot_be_judged_of_a_dot_is_unknown(browser: Browser, tmp_path: Path) -> None:
    dot = tmp_path / "dot.png"
    Image.new("RGB", (1, 1), "red").save(dot)
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(dot))
    browser.click("#go")
    assert "sharpness\nunknown" in browser.text("[data-finding=quality]")
    assert "unsure" in browser.text("[data-finding=labels] .value")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_photo_can_be_read_by_all(cat: Browser, scheme: str) -> None:
    for width in (1280, 390):
        cat.look(scheme=scheme, width=width)
        assert cat.run(LOOKS) == []
        assert cat.run(STRUCTURE) == []


def test_a_photo_is_pasted(browser: Browser) -> None:
    browser.open("/analyze")
    browser.run(
        """
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array([1, 2, 3])], "screen.png", { type: "image/png" }));
        dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
        """
    )
    assert "screen.png" in browser.text("#chosen")
    assert browser.see("[data-for=image] legend").text == "What to find in a photo"
    assert not browser.all("#labels")[0].is_displayed()
