"""The page Restyle in a real browser, on a real gunicorn with tiny random models: what they paint is noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.conftest import migrated_database
from tests.e2e.browser import Browser, chromium
from tests.e2e.service import KEY, Service
from tests.restyle.rooms import as_file, room

LOADED = "const i = document.querySelector('.compare .after'); return i.complete && i.naturalWidth ? i.alt : null"
pytestmark = [pytest.mark.torch, pytest.mark.browser]


@pytest.fixture(scope="module")
def browser(
    postgres_url: str, weights_dir: Path, tiny_models: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """Signed in, on a service of its own."""
    with migrated_database(postgres_url) as url:
        service = Service(
            tmp_path_factory.mktemp("restyle-page"),
            url,
            WEIGHTS_DIR=weights_dir,
            WEB_CONCURRENCY=1,
            OMP_NUM_THREADS=1,
            DEVICE_LOCKS_DIR=tmp_path_factory.mktemp("locks"),
            **tiny_models,
        )
        try:
            service.launch_and_wait("-m", "gunicorn", "wsgi:app")
            with chromium(f"http://127.0.0.1:{service.port}") as tab:
                tab.look()
                tab.open("/sign-in?next=/restyle")
                tab.fill("#key", KEY + Keys.ENTER)
                tab.until(lambda: tab.path() == "/restyle", "signed in")
                yield tab
                assert tab.complaints() == []
        finally:
            service.destroy()


def test_a_photo_is_restyled_before_ones_eyes(browser: Browser, tmp_path: Path) -> None:
    browser.until(
        lambda: browser.run("return fetch('/transform/styles').then((a) => a.json()).then((b) => b.available)"),
        "a worker has the device",
    )
    browser.open("/restyle")
    file = tmp_path / "room.png"
    file.write_bytes(as_file(room(400, 300)))
    browser.all("#file")[0].send_keys(str(file))
    assert "room.png" in browser.text("#name")
    browser.click(".style-card:has([value='boho'])")
    browser.click(".more summary")
    browser.click("#variations option:nth-child(2)")
    browser.fill("#seed", "1")
    browser.click(".segments label:has([value='fast'])")
    assert "style=boho" in browser.text("#request pre")
    browser.click("#go")
    assert browser.see("#working .steps")
    browser.see("#restyled .compare")
    assert browser.path().startswith("/restyle?job=")
    browser.until(lambda: browser.run(LOADED), "the picture is there")
    wide, high = browser.run(
        "const i = document.querySelector('.compare .after'); return [i.naturalWidth, i.naturalHeight]"
    )
    assert abs(wide / high - 4 / 3) < 0.02
    shown = "return document.querySelector('.compare .after').getAttribute('src')"
    first = browser.run(shown)
    browser.click(".variations button:nth-child(2)")
    assert browser.run(shown) != first
    assert len(browser.all(".measures dt")) == 3


def test_the_divider_moves_by_keys_and_the_maps_can_be_seen(browser: Browser) -> None:
    slider = browser.all(".compare input")[0]
    browser.run("arguments[0].focus()", slider)
    browser.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    at = "return getComputedStyle(document.querySelector('.compare')).getPropertyValue('--at')"
    assert browser.run(at) == "48"
    for view, words in (("Depth", "Depth of the room"), ("Edges", "Edges of the room")):
        browser.run(
            "[...document.querySelectorAll('.segments span')].find((s) => s.textContent === arguments[0]).click()", view
        )
        assert browser.until(lambda: browser.run(LOADED), view) == words
    browser.run("[...document.querySelectorAll('.segments span')].find((s) => s.textContent === 'Compare').click()")


def test_it_survives_a_reload_is_asked_again_with_another_seed_and_cancelled(browser: Browser) -> None:
    before = browser.path()
    browser.open(before)
    browser.see("#restyled .compare")
    browser.click("#again")
    browser.until(lambda: browser.path() != before, "another job")
    browser.click("#working button")
    assert "cancelled" in browser.text("#result .notice")


def test_what_cannot_be_restyled_says_why(browser: Browser, tmp_path: Path) -> None:
    browser.open("/restyle")
    browser.click("#go")
    assert "no photo yet" in browser.text("#result .notice")
    file = tmp_path / "tiny.png"
    file.write_bytes(as_file(room(10, 10)))
    browser.all("#file")[0].send_keys(str(file))
    browser.click("#go")
    browser.until(lambda: "at least 64" in browser.text("#result .notice"), "the problem")


def test_a_room_to_try_with_is_drawn_by_the_page(browser: Browser) -> None:
    browser.open("/restyle")
    browser.click("#sample")
    browser.until(lambda: browser.run("return document.querySelector('#shown').naturalWidth") == 768, "it is drawn")
