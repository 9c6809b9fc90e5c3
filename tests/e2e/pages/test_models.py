"""Models: sent, refused, asked and moved in the page."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Browser
from tests.e2e.pages.conftest import LOOKS, STRUCTURE
from tests.e2e.pages.sample import MARKUP
from tests.e2e.service import KEY, Service
from tests.serving.graphs import BOOL, FLOAT, INT64, STRING, data, doubling, node

pytestmark = pytest.mark.browser


def send(browser: Browser, folder: Path, name: str, content: bytes) -> None:
    """Choose a file on the page and send it."""
    (folder / name).write_bytes(content)
    browser.all("#file")[0].send_keys(str(folder / name))
    browser.click("#go")


def push(service: Service, name: str, content: bytes, version: str = "1.0.0", **more: Any) -> str:
    """A model that is ready, sent over HTTP; gives its id."""
    status, model = service.post("/api/v1/models", {"name": name, "version": version, **more})
    assert status == 201, model
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/octet-stream"}
    with service.connection() as connection:
        connection.request("POST", f"/api/v1/models/{model['id']}/upload?validate=true&wait=30", content, headers)
        answer = json.loads(connection.getresponse().read())
    assert answer["validation"]["valid"], answer
    return str(model["id"])


def choose(browser: Browser, selector: str, value: str) -> None:
    """Choose in a list, or a day, at once: what is typed one after the other would be taken together."""
    change = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))"
    browser.run(change, browser.see(selector), value)


def answer_of(browser: Browser) -> dict[str, Any]:
    """The answer that is shown as JSON."""
    shown = browser.until(
        lambda: browser.all("#raw pre") and browser.all("#raw pre")[0].get_property("textContent"), "an answer"
    )
    answer: dict[str, Any] = json.loads(str(shown))
    return answer


def test_a_model_is_sent_refused_replaced_asked_and_deleted(browser: Browser, service: Service, tmp_path: Path) -> None:
    browser.open("/models")
    browser.fill("#description", MARKUP)
    send(browser, tmp_path, "double.onnx", doubling()[:-9])
    assert "double 1.0.0 cannot be served" in browser.text("#push-outcome .notice")
    assert "not all of it is there" in browser.text("#push-outcome .notice")
    browser.until(lambda: "error" in browser.text("#rows tr"), "the list says so")
    send(browser, tmp_path, "double.onnx", doubling())
    assert "double 1.0.0 is ready" in browser.text("#push-outcome .notice.good")
    assert "batch × 3" in browser.text("#push-outcome .schema")
    assert MARKUP in browser.text("#rows")
    browser.click("#push-outcome a")
    browser.until(lambda: browser.text("h1") == "double", "the page of the model")
    cells = browser.until(lambda: browser.all("#predict [data-cell]"), "fields")
    assert [cell.accessible_name for cell in cells] == ["x[0], row 1", "x[1], row 1", "x[2], row 1"]
    for cell, words in zip(cells, ("1", "2.5", "NaN"), strict=True):
        cell.clear()
        cell.send_keys(words)
    assert '--data-binary \'{"input_data": {"x": [[1, 2.5, "NaN"]]}}\'' in browser.text("#request pre")
    browser.press(Keys.ENTER)
    assert answer_of(browser)["output_data"] == {"y": [[2, 5, "NaN"]]}
    assert browser.text("#answer tbody").split() == ["1", "2", "5", "NaN"]
    browser.until(lambda: browser.text("#latency .counts div:nth-child(4) dd") == "1", "it was measured")
    browser.click("#history .opener")
    assert '"rows": 1' in browser.text("#history .below pre")
    browser.click("#head .danger")
    browser.click("dialog button.danger")
    browser.until(lambda: browser.path() == "/models", "back on the list")
    browser.until(lambda: not browser.all("tbody[aria-busy]"), "the list")
    assert "double" not in browser.text("main")


def test_the_form_is_made_from_the_schema(browser: Browser, service: Service, tmp_path: Path) -> None:
    given = {"age": (INT64, ["n"]), "town": (STRING, ["n", 1]), "member": (BOOL, ["n"]), "steps": (FLOAT, ["m", "k"])}
    graph = data(
        [node("Identity", [name], [f"{name}_out"]) for name in given],
        [(name, dtype, shape) for name, (dtype, shape) in given.items()],
        [(f"{name}_out", dtype, shape) for name, (dtype, shape) in given.items()],
    )
    model_id = push(service, "people", graph)
    browser.open(f"/models/{model_id}")
    browser.fill("#predict [data-json=steps]", "[[1], [2]]")
    browser.click("#predict .stack > div > .button.small")
    for row, (age, town) in enumerate((("9007199254740993", 'O"Hara'), ("old", "<b>")), 1):
        browser.fill(f'[aria-label="age, row {row}"]', age)
        browser.fill(f'[aria-label="town, row {row}"]', town)
    browser.see('[aria-label="member, row 2"]').send_keys("true")
    browser.click("#ask-it")
    wrong = browser.until(lambda: browser.all("#predict :invalid:not(fieldset)"), "the field says what is wrong")[0]
    assert (wrong.accessible_name, wrong.get_property("validationMessage")) == ("age, row 2", "An integer, such as 3")
    browser.fill('[aria-label="age, row 2"]', "41")
    browser.click("#ask-it")
    browser.see("#answer")
    path = f"/api/v1/models/{model_id}/predictions"
    predictions = browser.until(lambda: service.get(path)[1]["items"], "the other worker's history is written")
    assert predictions[0]["input_data"] == {
        "age": [9007199254740993, 41],
        "town": [['O"Hara'], ["<b>"]],
        "member": [False, True],
        "steps": [[1], [2]],
    }
    browser.click("#predict .segments label:nth-of-type(2)")
    assert "9007199254740993" in str(browser.see("#json").get_property("value"))


def test_an_array_and_a_bad_input(browser: Browser, service: Service, tmp_path: Path) -> None:
    browser.open(f"/models/{push(service, 'arrays', doubling())}")
    browser.click("#predict .segments label:nth-of-type(3)")
    for name, array in (("bad.npy", np.zeros((1, 4), np.float32)), ("good.npy", np.ones((2, 3), np.float32))):
        content = io.BytesIO()
        np.save(content, array)
        (tmp_path / name).write_bytes(content.getvalue())
        browser.all("#predict input[type=file]")[0].send_keys(str(tmp_path / name))
        browser.click("#ask-it")
        if name == "bad.npy":
            assert browser.see("#outcome .notice").get_dom_attribute("data-code") == "invalid_input"
            assert "--data-binary '@bad.npy'" in browser.text("#request pre")
    assert answer_of(browser)["output_data"] == {"y": [[2, 2, 2], [2, 2, 2]]}


def test_a_file_of_many_rows_is_sent_followed_and_fetched(browser: Browser, service: Service, tmp_path: Path) -> None:
    browser.open(f"/models/{push(service, 'many', doubling())}")
    browser.see("#batch")
    browser.click("#batch-go")
    assert browser.text("#batch-outcome h2") == "Which file?"
    (tmp_path / "rows.csv").write_text("name,a,b,c\n" + "p,1,2,3\n" * 500 + "<b>,1,x,3\n")
    browser.all("#batch input[type=file]")[0].send_keys(str(tmp_path / "rows.csv"))
    browser.click("#batch-go")
    wrong = browser.until(
        lambda: "name, a" in browser.text(".batches .said").replace("'", "") and 1, "the job says why"
    )
    assert wrong
    browser.fill("#batch-columns", "a,b,c")
    assert "-F 'file=@rows.csv'" in browser.text("#request pre")
    assert "--form-string 'columns=a,b,c'" in browser.text("#request pre")
    browser.click("#batch-go")
    link = browser.until(lambda: browser.all(".batches tr:first-child a[download]"), "a link to the result")[0]
    assert "501 rows · 1 row failed, the first is row 501: b is 'x'" in browser.text(".batches tbody tr:first-child")
    with service.connection() as connection:
        connection.request("GET", str(link.get_dom_attribute("href")))
        written = connection.getresponse().read().decode().splitlines()
    assert (len(written), written[1]) == (502, "p,1,2,3,2.0,4.0,6.0,")
    assert len(browser.all(".batches tbody tr")) == 2


def test_an_alias_is_moved_with_a_share_rolled_back_and_deleted(browser: Browser, service: Service) -> None:
    push(service, "moved", doubling())
    model_id = push(service, "moved", doubling(3), "1.1.0")
    browser.open(f"/models/{model_id}")
    browser.see("#move")
    browser.see("#alias-version").send_keys("1.0.0")
    browser.click("#move .button")
    assert "is 1.0.0" in browser.text("#aliases")
    browser.see("#canary").send_keys("1.0.0")
    browser.click("#move .button")
    browser.until(lambda: "is 1.1.0, and 5 % go to 1.0.0" in browser.text("#aliases"), "it is moved")
    assert "production" in browser.text("#head")
    browser.click("#head .end .button:first-child")
    assert browser.see("#trouble .notice").get_dom_attribute("data-code") == "model_in_use"
    browser.click("#aliases button[aria-label='Roll back production']")
    browser.until(lambda: "is 1.0.0" in browser.text("#aliases"), "it is back")
    browser.click("#aliases button[aria-label='Delete production']")
    browser.click("dialog button.danger")
    browser.until(lambda: not browser.all("#aliases"), "it is gone")
    browser.click("#head .end .button:first-child")
    browser.until(lambda: "archived" in browser.text("#head"), "it is archived")
    browser.click("#head .end .button:first-child")
    browser.until(lambda: "ready" in browser.text("#head"), "it is back in service")


def test_the_history_is_filtered_and_exported(browser: Browser, service: Service, tmp_path: Path) -> None:
    model_id = push(service, "exported", doubling())
    path = f"/api/v1/models/{model_id}/predict"
    bodies = [{"input_data": {"x": [[1, 2, 3]]}}, {"input_data": {"x": [[1, 2]]}}]
    bodies.append({**bodies[0], "skip_cache": True})
    assert [service.post(path, body)[0] for body in bodies] == [201, 422, 201]
    listed = f"/api/v1/models/{model_id}/predictions"
    browser.until(lambda: len(service.get(listed)[1]["items"]) == 2, "the other worker's history is written")
    browser.open(f"/models/{model_id}")
    browser.until(lambda: len(browser.all("#history .opener")) == 2, "what did not fit the model is no prediction")
    choose(browser, "#history-status", "failed")
    browser.until(lambda: "None fits these filters." in browser.text("#history"), "none has failed")
    choose(browser, "#history-status", "made")
    browser.until(lambda: len(browser.all("#history .opener")) == 2, "both were made")
    browser.run(
        "arguments[0].value = '2020-01-01'; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
        browser.see("#history-from"),
    )
    browser.until(lambda: len(browser.all("#history .opener")) == 2, "both are newer")
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    assert ".csv?status=made&from=20" in str(browser.see("#export").get_property("href"))
    browser.click("#export")
    file = tmp_path / "exported 1.0.0 predictions.csv"
    browser.until(file.exists, "the file is there")
    with file.open(newline="") as written:
        assert [row["input_data"] for row in csv.DictReader(written)] == ['{"x":[[1,2,3]]}'] * 2


def test_two_versions_beside_each_other(browser: Browser, service: Service) -> None:
    model_id = push(service, "beside", doubling())
    other = push(service, "beside", doubling(3), "1.1.0")
    push(service, "beside", doubling(3, width=2), "2.0.0")
    service.post(f"/api/v1/models/{other}/predict", {"input_data": {"x": [[1, 2, 3]]}})
    browser.until(lambda: service.get(f"/api/v1/models/{other}/predictions")[1]["items"], "it is written")
    browser.open(f"/models/{model_id}")
    browser.see("#beside").send_keys("1.1.0")
    assert browser.text("[data-fact='Takes x'] td:last-child") == "none"
    assert "1 (100 % of all)" in browser.text("[data-fact^=Asked]")
    for cell, words in zip(browser.all("#predict [data-cell]"), ("1", "-4", "NaN"), strict=True):
        cell.clear()
        cell.send_keys(words)
    browser.click("#ask-both")
    assert browser.text("#differences") == "y differs by 4 at most: -8 and -12 at [0][1]"
    assert [one.text.split()[-3:] for one in browser.all("#both table")] == [["2", "-8", "NaN"], ["3", "-12", "NaN"]]
    choose(browser, "#beside", str(browser.all("#beside option")[1].get_property("value")))
    browser.until(lambda: browser.text("[data-fact='Takes x'] td:last-child") == "differs", "another version")
    browser.click("#ask-both")
    assert browser.see("#both .notice").get_dom_attribute("data-code") == "invalid_input"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_models_can_be_read_by_everybody(browser: Browser, service: Service, scheme: str) -> None:
    model_id = push(service, f"read-{scheme}", doubling(), description="Doubles")
    status, pending = service.post("/api/v1/models", {"name": f"pending-{scheme}"})
    assert status == 201
    for width in (1440, 360):
        browser.look(scheme=scheme, width=width)
        for path, ready in (
            ("/models?search=nowhere", "#empty-filtered"),
            ("/models", "#rows tr"),
            (f"/models/{pending['id']}", ".target"),
            (f"/models/{model_id}", "#move"),
        ):
            browser.open(path)
            browser.see(ready)
            if path.endswith(model_id):
                browser.click("#ask-it")
                browser.see("#answer")
                browser.until(lambda: browser.all("#latency .counts") and browser.all("#history .opener"), "measured")
            browser.until(lambda: "well" in browser.text("#status"), "the status line")
            assert browser.run(LOOKS) == [], path
            assert browser.run(STRUCTURE) == [], path


def test_a_list_without_models_teaches(service: Service, browser: Browser) -> None:
    status, key = service.post("/api/v1/keys", {"name": "Newcomer", "owner": "newcomer", "scopes": ["read", "write"]})
    assert status == 201
    browser.driver.delete_all_cookies()
    browser.open("/sign-in")
    browser.fill("#key", key["key"] + Keys.ENTER)
    browser.see("#text")
    browser.open("/models")
    assert "thetool models push" in browser.text("#empty")
    assert "/upload?validate=true" in browser.text("#request pre")
    assert browser.run(LOOKS) == []
    browser.click("#go")
    assert browser.text("#push-outcome h2") == "Which file?"
    assert browser.focused().get_dom_attribute("id") == "choose"
    assert service.request("DELETE", f"/api/v1/keys/{key['id']}")[0] == 204
