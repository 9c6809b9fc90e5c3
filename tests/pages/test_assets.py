"""Static files: addresses that change with the content, kept for a year, and nothing but what is ours."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from thetool.pages import assets

SCRIPTS = sorted(name for name in assets.files() if name.endswith(".js"))


def test_a_static_file_is_kept_for_a_year(client: FlaskClient) -> None:
    response = client.get(f"/static/{assets.digest()}/site.css")
    assert response.status_code == 200
    assert response.mimetype == "text/css"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_every_part_of_the_stylesheet_is_in_it(client: FlaskClient) -> None:
    sent = client.get(f"/static/{assets.digest()}/site.css").text
    parts = {path.stem: path.read_text() for path in (assets.FOLDER / "css").iterdir()}
    assert set(parts) == set(assets.STYLES)
    assert all(part in sent for part in parts.values())
    assert max(part.count("\n") for part in parts.values()) < 150


def test_a_browser_finds_the_icon_where_it_looks_by_itself(client: FlaskClient) -> None:
    response = client.get("/favicon.ico")
    assert (response.status_code, response.mimetype) == (200, "image/svg+xml")
    assert response.data == assets.files()["icon.svg"]
    assert response.headers["Cache-Control"] == "public, max-age=86400"


def test_under_another_digest_it_is_asked_for_again(client: FlaskClient) -> None:
    response = client.get("/static/0123456789abcdef/site.css")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
    again = client.get("/static/0123456789abcdef/site.css", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_the_digest_changes_with_any_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before = assets.digest()
    changed = assets.files() | {"js/dom.js": assets.files()["js/dom.js"] + b"\n"}
    monkeypatch.setattr(assets, "files", lambda: changed)
    assert assets.digest.__wrapped__() != before


@pytest.mark.parametrize(
    "name", ["../assets.py", "js/../../assets.py", "nothing.js", "js", "%2e%2e/assets.py", "js/dom.js/"]
)
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{assets.digest()}/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/sign-in", "/analyze", "/models", "/jobs", "/settings"])
def test_every_file_that_a_page_names_is_there(signed_in: FlaskClient, path: str) -> None:
    text = (signed_in.application.test_client() if path == "/sign-in" else signed_in).get(path).text
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', text))
    assert any(name.endswith("site.css") for name in named)
    assert any(name.endswith(".js") for name in named)
    for name in named:
        assert signed_in.get(name).status_code == 200, name


def test_a_page_asks_at_once_for_all_scripts_that_it_needs() -> None:
    """`modules_of` reads imports by a pattern; every import, however it is written, must be found."""
    for script in SCRIPTS:
        text = assets.files()[script].decode()
        imported = {f"js/{name}" for name in re.findall(r"""["']\./(\w+\.js)["']""", text)}
        assert imported <= set(assets.modules_of(script.removeprefix("js/"))), script
        assert imported <= set(SCRIPTS), script


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_makes_markup_of_data(script: str) -> None:
    text = assets.files()[script].decode()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc", text
    )


def test_every_icon_that_is_named_is_drawn() -> None:
    sprite = assets.files()["icons.svg"].decode()
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    scripts = "".join(assets.files()[name].decode() for name in SCRIPTS)
    templates = "".join(path.read_text() for path in (assets.FOLDER.parent / "templates").rglob("*.html"))
    named = set(re.findall(r'\bicon\("([\w-]+)"\)', scripts + templates))
    assert named <= drawn
    assert {"analyze", "jobs", "settings"} <= drawn
