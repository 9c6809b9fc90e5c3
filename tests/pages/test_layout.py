"""What all pages share: policy, caching, landmarks, the rail; problems as pages."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.conftest import MASTER_KEY

BROWSER = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
RAIL = ["/analyze", "/restyle", "/models", "/jobs", "/settings"]


def test_the_address_of_the_service_leads_to_analyze(client: FlaskClient) -> None:
    response = client.get("/")
    assert (response.status_code, response.location) == (302, "/analyze")


@pytest.mark.parametrize("path", RAIL)
def test_a_page_has_its_landmarks_and_its_place_in_the_rail(signed_in: FlaskClient, path: str) -> None:
    text = signed_in.get(path).text
    assert '<html lang="en">' in text
    assert '<a class="skip unseen" href="#main">' in text
    assert text.count("<h1>") == 1
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', text) == [path]
    for landmark in ("<nav", "<main", "<footer", 'role="status"'):
        assert landmark in text


@pytest.mark.parametrize("path", [*RAIL, "/sign-in", "/nothing"])
def test_nothing_inline_and_nothing_from_elsewhere(signed_in: FlaskClient, path: str) -> None:
    browser = signed_in.application.test_client() if path == "/sign-in" else signed_in
    response = browser.get(path, headers=BROWSER)
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", response.text)
    assert not re.search(r"""(?:src|href|action)="(?:https?:)?//""", response.text)


@pytest.mark.parametrize("path", RAIL)
def test_a_page_is_not_kept_for_the_next_person(signed_in: FlaskClient, path: str) -> None:
    response = signed_in.get(path)
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in response.headers["Vary"]


def test_the_key_is_on_no_page(signed_in: FlaskClient) -> None:
    for path in RAIL:
        assert MASTER_KEY not in signed_in.get(path).text


def test_a_person_sees_a_problem_as_a_page(client: FlaskClient) -> None:
    response = client.get("/nothing/here", headers=BROWSER)
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "There is nothing here" in response.text
    assert response.headers["X-Request-ID"] in response.text


def test_an_older_browser_sees_it_too(client: FlaskClient) -> None:
    response = client.get(
        "/nothing", headers={"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    )
    assert (response.status_code, response.mimetype) == (404, "text/html")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "application/json, text/html;q=.5"},
        {"Accept": "text/html", "Sec-Fetch-Dest": "empty"},
    ],
)
def test_a_program_gets_the_document(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.get("/nothing", headers=headers)
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")


def test_a_problem_page_shows_hostile_words_as_text(client: FlaskClient) -> None:
    response = client.get("/jobs?key=<script>alert(1)</script>", headers=BROWSER, follow_redirects=True)
    assert "<script>alert" not in response.text
