"""`/docs` works in a real browser under our strict policy, with nothing from elsewhere."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.web.conftest import problem_of

IS_DARK = """
const [ground] = getComputedStyle(document.documentElement).backgroundColor.match(/[0-9]+/g).map(Number);
return document.documentElement.classList.contains("dark-mode") && ground < 64;
"""


def test_page_names_only_our_own_files(api: FlaskClient) -> None:
    page = api.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/"), address
        if address == "/":  # the pages', which are no part of this application
            continue
        assert api.get(address).status_code == 200


def test_assets_are_kept_for_a_year(api: FlaskClient) -> None:
    for address in re.findall(r'="(/docs/assets/[^"]+)"', api.get("/docs").text):
        plain = api.get(address)
        assert "immutable" in plain.headers["Cache-Control"]
        assert plain.headers["X-Content-Type-Options"] == "nosniff"
        assert api.get(address, headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304
        zipped = api.get(address, headers={"Accept-Encoding": "gzip"})
        if zipped.headers.get("Content-Encoding"):
            assert gzip.decompress(zipped.data) == plain.data


@pytest.mark.parametrize("path", ["x/swagger-ui.css", "x/../../requirements.txt", "x/index.html", "x/%2e%2e/setup.py"])
def test_nothing_else_is_an_asset(api: FlaskClient, path: str) -> None:
    problem_of(api.get(f"/docs/assets/{path}"), 404, "not_found")


def test_every_page_leads_back(api: FlaskClient) -> None:
    assert '<a href="/">← TheTool</a>' in api.get("/docs").text
    assert '<a href="/docs">← API docs</a>' in api.get("/docs/problems").text


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,1600"):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.mark.browser
def test_an_operation_can_be_tried_in_the_browser(port: int, browser: webdriver.Chrome) -> None:
    browser.get(f"http://127.0.0.1:{port}/docs")
    wait = WebDriverWait(browser, 60)
    wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, ".opblock"))
    for scheme in ("dark", "light"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        wait.until(lambda page, dark=scheme == "dark": page.execute_script(IS_DARK) == dark)
    browser.find_element(By.CSS_SELECTOR, "[id$=get_who] .opblock-summary-control").click()
    wait.until(lambda page: page.find_element(By.CSS_SELECTOR, ".try-out__btn")).click()
    wait.until(lambda page: page.find_element(By.CSS_SELECTOR, ".execute")).click()
    status = ".live-responses-table tbody .response-col_status"
    answer = wait.until(lambda page: page.find_element(By.CSS_SELECTOR, status))
    assert answer.text.startswith("200")
    complaints = [line["message"] for line in browser.get_log("browser") if line["level"] != "DEBUG"]
    assert not [line for line in complaints if "Content Security Policy" in line or "Refused" in line], complaints
