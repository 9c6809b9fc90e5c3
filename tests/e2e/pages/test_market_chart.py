"""The chart of prices in a real browser: drawn, gone through by pointer and keys, and read as a table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import LOOKS, STRUCTURE
from tests.tables.market.prices import prices
from thetool.pages.assets import digest
from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.columns import look_for_market
from thetool.tables.market.options import MarketOptions

pytestmark = pytest.mark.browser

MARKUP = "<img src=x onerror=alert(1)>"
SHOW = """
const [module, result, done] = arguments;
import(module).then(({ marketChart }) => {
  const made = (tag, more) => Object.assign(document.createElement(tag), more);
  const panel = made("section", { className: "panel" });
  panel.append(made("h2", { textContent: "Market" }), marketChart(result) ?? "no chart");
  document.querySelector("main").replaceChildren(made("h1", { textContent: "Prices" }), panel);
  requestAnimationFrame(() => requestAnimationFrame(() => done(null)));
}, (error) => done(String(error)));
"""


def rising(rows: int, **changes: Any) -> dict[str, Any]:
    """A result that has a trade to be drawn."""
    frame = prices(rows, drift=0.004, noise=0.01)
    options = MarketOptions(strategy="trend", indicators=["macd", "adx", "ema", "rsi"])
    result = analyze_market(frame, look_for_market(frame), options).symbols[0]
    found: dict[str, Any] = json.loads(result.model_dump_json())
    return found | changes


def show(browser: Browser, result: dict[str, Any], **look: Any) -> None:
    browser.look(**look)
    browser.open("/nothing-here")  # a page of ours without a script of its own
    browser.see("main h1")
    module = f"/static/{digest()}/js/market_chart.js"
    assert browser.driver.execute_async_script(SHOW, module, result) is None


def told(browser: Browser) -> dict[str, str]:
    names, values = browser.all(".market-told dt"), browser.all(".market-told dd")
    return {name.text: value.text for name, value in zip(names, values, strict=True)}


def test_the_keys_go_through_the_points(browser: Browser) -> None:
    result = rising(400, symbol=MARKUP)
    series = result["series"]
    show(browser, result)
    stage = browser.see(".market-stage")
    assert MARKUP in str(stage.accessible_name)
    assert told(browser)["date"] == series["date"][-1]
    browser.run("arguments[0].focus()", stage)
    browser.press(Keys.ARROW_LEFT, Keys.PAGE_UP, Keys.PAGE_DOWN, Keys.PAGE_DOWN)
    assert told(browser)["date"] == series["date"][-21]
    assert series["date"][-21] in str(stage.get_dom_attribute("aria-valuetext"))
    assert len(browser.all(".cross path")) == 1
    browser.press(Keys.HOME)
    assert told(browser)["date"] == series["date"][-250]
    browser.press(Keys.ARROW_LEFT)
    assert stage.get_dom_attribute("aria-valuenow") == stage.get_dom_attribute("aria-valuemin") == "151"
    browser.press(Keys.END)
    assert told(browser)["close"] == f"{series['close'][-1]:.6g}"


def test_the_pointer_goes_through_the_points(browser: Browser) -> None:
    result = rising(100)
    show(browser, result)
    stage = browser.see(".market-stage")
    ActionChains(browser.driver).move_to_element_with_offset(stage, -round(stage.size["width"] / 2) + 2, 0).perform()
    assert told(browser)["date"] == result["series"]["date"][0]
    assert told(browser)["RSI"] == "–"
    ActionChains(browser.driver).move_to_element(browser.see(".market-numbers")).perform()
    assert told(browser)["date"] == result["series"]["date"][-1]
    assert not browser.all(".cross path")


def test_what_is_drawn_can_be_chosen(browser: Browser) -> None:
    show(browser, rising(400))
    assert [len(browser.all(f".market-stage {what}")) for what in (".candle", ".band", ".line.ema-slow", ".psar")] == [
        2,
        1,
        1,
        0,
    ]
    assert {text.text for text in browser.all("text.level")} == {"entry", "stop", "target"}
    for name in ("SAR", "Bollinger", "EMA", "Line", "Trade", "All"):
        label = next(label for label in browser.all(".market-choices label") if label.text == name)
        label.click()
    assert [len(browser.all(f".market-stage {what}")) for what in (".candle", ".band", ".line.ema-slow", ".psar")] == [
        0,
        0,
        0,
        1,
    ]
    assert not browser.all(".level")
    assert browser.see(".market-stage").get_dom_attribute("aria-valuemin") == "1"


def test_the_points_are_there_as_a_table(browser: Browser) -> None:
    result = rising(80)
    show(browser, result)
    assert not browser.all(".market-rows table")
    browser.click(".market-numbers summary")
    browser.until(lambda: len(browser.all(".market-rows tbody tr")) == 80, "the rows")
    assert browser.all(".market-rows tbody th")[0].text == result["series"]["date"][-1]


def test_without_a_series_there_is_no_chart(browser: Browser) -> None:
    show(browser, rising(80, series=None))
    assert "no chart" in browser.text("main")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_everybody_can_read_it(browser: Browser, scheme: str, width: int) -> None:
    show(browser, rising(100), scheme=scheme, width=width)
    browser.click(".market-numbers summary")
    assert browser.run(LOOKS) == []
    assert browser.run(STRUCTURE) == []
    assert browser.run(CONTRAST) == []


# looks.js leaves SVG out: here each text and line of the chart against what is behind it
CONTRAST = (
    LOOKS[: LOOKS.index("for (const node of document.body")]
    + """
const below = background(document.querySelector(".market-stage"));
for (const node of document.querySelectorAll(".market-stage text, .market-stage .line, .market-stage .candle")) {
  const style = getComputedStyle(node);
  const text = node.tagName === "text";
  const ratio = contrast(rgba(text ? style.fill : style.stroke).slice(0, 3), below);
  if (ratio < (text ? 4.5 : 3)) found.push(`${node.getAttribute("class")}: ${ratio.toFixed(2)}`);
}
return found;
"""
)
