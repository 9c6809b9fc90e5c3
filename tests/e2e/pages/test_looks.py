"""What holds for every page: keyboard, contrast, names, narrow screens, nothing that moves."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import GOOD, LOOKS, STRUCTURE
from tests.e2e.service import KEY, Service

pytestmark = pytest.mark.browser
RAIL = ["/analyze", "/restyle", "/models", "/jobs", "/settings"]
SHIFTS = """
const done = arguments[0];
new PerformanceObserver((list) => done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)))
  .observe({ type: "layout-shift", buffered: true });
setTimeout(() => done(0), 300);
"""


VISIBLE_FOCUS = """
const shown = (node) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(node);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
};
return shown(arguments[0]) || Boolean(arguments[0].closest(".drop") && shown(arguments[0].closest(".drop")));
"""


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
        for path, ready in (
            (f"/jobs/{failed}", ".notice"),
            ("/restyle", "#unavailable"),
            ("/jobs", "#rows tr"),
            ("/settings", "#none"),
        ):
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


@pytest.mark.parametrize("width", [1440, 360])
def test_every_page_is_made_for_those_who_do_not_see_it(browser: Browser, service: Service, width: int) -> None:
    job_id = service.submit("failing", 0)
    service.until_job(job_id, "failed")
    browser.look(width=width)
    browser.open("/analyze")
    browser.click(".sample")
    browser.see("[data-finding=statistics]")
    assert browser.run(STRUCTURE) == []
    for path, ready in (
        (f"/jobs/{job_id}", ".notice"),
        ("/restyle", "#drop"),
        ("/jobs", "#rows tr"),
        ("/settings", "#keys"),
    ):
        browser.open(path)
        browser.see(ready)
        assert browser.run(STRUCTURE) == [], path


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("path", RAIL)
def test_nothing_moves_while_a_page_loads(browser: Browser, path: str, width: int) -> None:
    browser.look(width=width)
    browser.open(path)
    browser.until(lambda: not browser.all("tbody[aria-busy]"), "the lists are there")
    browser.until(lambda: "well" in browser.text("#status"), "the status line")
    assert browser.driver.execute_async_script(SHIFTS) == pytest.approx(0, abs=0.005)
