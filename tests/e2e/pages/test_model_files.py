"""Files on the models' pages: dropped ones, validations that take their time, and pictures and texts to ask about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.browser import Browser
from tests.e2e.pages.test_models import answer_of, push
from tests.e2e.service import Service
from tests.serving.graphs import doubling
from tests.serving.test_signatures import COLOURS, PRAISE, colour_model, picture, word_model

pytestmark = pytest.mark.browser

# The page would wait a second before it shows that the validation goes on.
AT_ONCE = """
    const set = XMLHttpRequest.prototype.setRequestHeader;
    XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
        set.call(this, name, name === "Prefer" ? "wait=0" : value);
    };
    const place = document.querySelector("#push-outcome");
    new MutationObserver(() => window.seen.push(...[...place.children].map(({ id }) => id)))
        .observe(place, { childList: true });
"""


def drop(browser: Browser, selector: str, *files: Path) -> None:
    """Drag files onto an element, as from a file manager, and let go."""
    box = browser.run(
        "const box = arguments[0].getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]",
        browser.see(selector),
    )
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.driver.execute_cdp_cmd(
            "Input.dispatchDragEvent", {"type": kind, "x": box[0], "y": box[1], "data": data}
        )


def test_a_dropped_file_is_sent_and_its_validation_followed(browser: Browser, tmp_path: Path) -> None:
    browser.open("/models")
    browser.run(AT_ONCE)
    for content in (doubling()[:-9], doubling()):
        file = tmp_path / "dropped.onnx"
        file.write_bytes(content)
        browser.run("window.seen = []")
        drop(browser, "#drop", file)
        browser.until(lambda: browser.text("#file-name") == "dropped.onnx", "it is taken")
        assert browser.see("#name").get_property("value") == "dropped"
        browser.click("#go")
        if content == doubling():
            assert "dropped 1.0.0 is ready" in browser.text("#push-outcome .notice.good")
        else:
            assert "not all of it is there" in browser.text("#push-outcome .notice")
            assert not browser.all("#push-outcome .good")
        assert browser.run("return window.seen.slice(0, 2)") == ["sending", "working"]


def test_a_file_is_dropped_on_the_page_of_its_version(browser: Browser, service: Service, tmp_path: Path) -> None:
    status, model = service.post("/api/v1/models", {"name": "empty"})
    assert status == 201
    (tmp_path / "a.onnx").write_bytes(doubling())
    browser.open(f"/models/{model['id']}")
    drop(browser, ".target", tmp_path / "a.onnx")
    browser.see("#predict")
    assert "ready" in browser.text("#head")


def test_a_picture_is_asked_about(browser: Browser, service: Service, tmp_path: Path) -> None:
    signature = {"kind": "image", "labels": COLOURS, "top": 2}
    browser.open(f"/models/{push(service, 'colours', colour_model(), signature=signature)}")
    browser.see("#predict [name=picture]").send_keys(str(_saved(tmp_path / "blue.png", (0, 51, 255))))
    browser.until(
        lambda: browser.run("return document.querySelector('.asked-picture').naturalWidth") == 40, "it is shown"
    )
    assert "-F 'file=@blue.png'" in browser.text("#request pre")
    browser.click("#ask-it")
    assert browser.text("#answer .bars").split() == ["blue", "1", "green", "0.2"]
    assert [one["label"] for one in answer_of(browser)["labels"]] == ["blue", "green"]


def _saved(path: Path, colour: tuple[int, int, int]) -> Path:
    path.write_bytes(picture(colour))
    return path


def test_a_text_is_asked_about(browser: Browser, service: Service) -> None:
    browser.open(f"/models/{push(service, 'words', word_model(), signature=PRAISE)}")
    for text, share in (("good", "0.982014"), ("bad", "0.017986")):
        browser.fill("#asked-text", text)
        assert f"--data-binary '{text}'" in browser.text("#request pre")
        browser.click("#ask-it")
        browser.until(lambda share=share: browser.text("#answer .bars").split() == ["praise", share], "its answer")
