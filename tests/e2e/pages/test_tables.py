"""A table in Analyze: what is wrong with it, how it was read, read otherwise, its columns; nothing in it is markup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import LOOKS, STRUCTURE

pytestmark = pytest.mark.browser
ORDERS, PRICES = ".sample[data-name='orders.csv']", ".sample[data-name='prices.csv']"
MARKUP = "<img src=x onerror=alert(1)>"
HOSTILE = f'name,"{MARKUP}",n\n"{MARKUP}","</td><script>alert(2)</script>",1\n=1+1,javascript:alert(3),2\nx,y,3\n'


@pytest.fixture
def orders(browser: Browser) -> Iterator[Browser]:
    """The sample table of orders, analysed."""
    browser.open("/analyze")
    browser.click(ORDERS)
    browser.see("[data-finding=columns]")
    yield browser
    browser.look()


def test_a_table_is_shown_with_all_that_was_found(orders: Browser) -> None:
    findings = [node.get_dom_attribute("data-finding") for node in orders.all("[data-finding]")]
    assert findings == ["size", "issues", "reading", "columns", "preview"]
    assert "rows\n65\n" in orders.text("[data-finding=size]")
    assert "blanks before or after" in orders.text("[data-finding=issues]")
    assert "semicolon" in orders.text("[data-finding=reading]")
    assert "3 lines before the table" in orders.text("[data-finding=reading]")
    assert "2025-09-01 to 2026-01-28" in orders.text("[data-finding=columns]")
    assert len(orders.all("[data-finding=columns] .histogram span")) == 39  # of 149 days 19 bins, of numbers 20
    orders.until(
        lambda: orders.all("#announcer")[0].get_property("textContent").startswith("Done: 65 × 7 columns"),
        "it is announced",
    )
    orders.click("#answer summary")
    assert '"kind": "table"' in orders.text("#answer pre")


def test_a_column_is_opened_by_its_name(orders: Browser) -> None:
    name = orders.all(".opener")[1]
    orders.run("arguments[0].focus()", name)
    orders.press(Keys.ENTER)
    assert name.get_dom_attribute("aria-expanded") == "true"
    assert "Most frequent" in orders.text(".below")
    orders.press(Keys.ENTER)
    assert not orders.all(".below")


def test_another_sheet_is_chosen_by_its_name(browser: Browser, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for sheet, name in ((book.active, "Sales"), (book.create_sheet(), "Costs")):
        sheet.title = name
        for row in (["city", "amount"], ["Bonn", 1], ["Jena", 2]):
            sheet.append(row)
    book.save(tmp_path / "book.xlsx")
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(tmp_path / "book.xlsx"))
    assert browser.text("#preview") == "A workbook: its sheets are shown after reading."
    browser.click("#go")
    browser.click(".otherwise > summary")
    choices = [option.text for option in browser.all(".corrections [name=sheet] option")]
    assert choices == ["as found", "Sales", "Costs"]


def test_it_is_read_otherwise(orders: Browser) -> None:
    orders.click(".otherwise > summary")
    orders.fill(".corrections [name=header_row]", "0")
    orders.click(".corrections [name=as_text]")
    assert "header_row" not in orders.text("#request pre")
    orders.click(".corrections button[type=submit]")
    orders.until(lambda: "names of columns\nnone" in orders.text("[data-finding=reading]"), "it is read anew")
    shown = [cell.text for cell in orders.all("[data-finding=columns] tbody tr > td:nth-child(2)")]
    assert set(shown) == {"text"}
    request = orders.text("#request pre")
    assert "--form-string 'header_row=0'" in request
    assert "--form-string 'as_text=true'" in request
    assert orders.focused().get_dom_attribute("id") == "result"
    orders.click(".corrections button:not([type=submit])")
    orders.until(lambda: "in line 4" in orders.text("[data-finding=reading]"), "it is as it was found")
    assert "header_row" not in orders.text("#request pre")
    orders.driver.refresh()
    orders.see("[data-finding=columns]")
    assert "choose the file again" in orders.text("[data-finding=reading]")


def test_an_issue_says_what_would_mend_it_and_is_mended_by_reading_anew(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "preise.csv"
    rows = "".join(f"{number}.5;gr\u00fcn\n{number},25;unknown\n" for number in range(1, 10))
    file.write_bytes(f"preis;farbe\n{rows}".encode("cp1252"))
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(file))
    assert "which is a guess" in browser.text("#preview .hint")
    assert "1.5;gr\u00fcn" in browser.text("#preview .wrap")
    browser.click("#go")
    issue = "[data-finding=issues] .issue:first-child"
    assert "9 numbers with a decimal point, such as “1.5”, and 9 with a decimal comma" in browser.text(issue)
    assert "To mend it: Make preis a column of numbers" in browser.text(issue)
    browser.click(f"{issue} button")
    browser.until(lambda: "decimal point" not in browser.text("[data-finding=issues]"), "it is gone")
    assert "could not be read as number: 50 %" in browser.text("[data-finding=columns]")
    assert "not of their column’s type\n25 %" in browser.text("[data-finding=size]")
    browser.click("[data-finding=issues] .issue:last-child button")
    browser.until(lambda: "unknown" not in browser.text("[data-finding=issues]"), "both are gone")
    assert "could not be read as number" in browser.text("[data-finding=columns]")


def test_prices_are_judged_and_drawn(browser: Browser) -> None:
    browser.open("/analyze")
    browser.click(PRICES)
    assert browser.see(".market-stage")
    assert "sell" in browser.text(".verdict")
    assert len(browser.all("[data-finding=market] table.sheet tbody tr")) == 12
    assert "not advice" in browser.text("[data-finding=market]")
    browser.look(width=360)
    why = browser.all("[data-finding=market] table.sheet .why")
    assert all(cell.rect["x"] >= 0 and cell.rect["x"] + cell.rect["width"] <= 360 for cell in why)
    browser.look()


def test_hostile_values_are_inert(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "hostile.csv"
    file.write_text(HOSTILE)
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(file))
    assert browser.see("[data-for=table] legend").text == "What to find in a table"
    browser.click("#go")
    browser.see("[data-finding=preview]")
    for name in browser.all(".opener"):
        browser.run("arguments[0].click()", name)
    assert MARKUP in browser.text("[data-finding=preview]")
    assert not browser.all("[data-finding] img, [data-finding] script, [data-finding] a[href^='javascript']")


def test_what_is_no_table_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.csv"
    file.write_text("<!doctype html><p>a, b</p>")
    browser.open("/analyze")
    browser.all("#file")[0].send_keys(str(file))
    browser.click("#go")
    assert browser.see("#result .notice").get_dom_attribute("data-code") == "not_a_table"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_can_be_read_by_all(orders: Browser, scheme: str) -> None:
    orders.run("document.querySelector('.otherwise').open = true; document.querySelectorAll('.opener')[5].click()")
    for width in (1280, 390):
        orders.look(scheme=scheme, width=width)
        assert orders.run(LOOKS) == []
        assert orders.run(STRUCTURE) == []
