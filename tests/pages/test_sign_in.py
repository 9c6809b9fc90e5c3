"""The sign-in page: in, out, wrong keys, and where it leads afterwards."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.conftest import MASTER_KEY
from tests.pages.conftest import FROM_OUR_PAGE
from thetool.app import create_app
from thetool.config import Settings

PAGES = ["/analyze", "/jobs", "/jobs/00000000-0000-7000-8000-000000000001", "/settings"]


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in_and_back(client: FlaskClient, path: str) -> None:
    sent = client.get(f"{path}?status=queued")
    assert sent.status_code == 303
    form = client.get(sent.location)
    assert form.status_code == 200
    assert f'name="next" value="{path}?status=queued"' in form.text
    done = client.post("/sign-in", data={"key": MASTER_KEY, "next": f"{path}?status=queued"}, headers=FROM_OUR_PAGE)
    assert (done.status_code, done.location) == (303, f"{path}?status=queued")
    assert client.get(done.location).status_code == 200


@pytest.mark.parametrize("key", ["", "wrong", MASTER_KEY + "x", "tt_" + "A" * 43, "☃" * 50])
def test_a_wrong_key_is_told_in_the_form(client: FlaskClient, key: str) -> None:
    response = client.post("/sign-in", data={"key": key}, headers=FROM_OUR_PAGE)
    assert response.status_code == 401
    assert 'data-code="invalid_key"' in response.text
    assert response.headers["X-Request-ID"] in response.text
    assert "Set-Cookie" not in response.headers
    if key:
        assert key not in response.text


def test_blanks_around_a_pasted_key_do_not_matter(client: FlaskClient) -> None:
    assert client.post("/sign-in", data={"key": f"  {MASTER_KEY}\n"}, headers=FROM_OUR_PAGE).status_code == 303


def test_a_form_of_another_site_signs_nobody_in(client: FlaskClient) -> None:
    response = client.post("/sign-in", data={"key": MASTER_KEY}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n/evil",
        "/\t/evil.example",
        "x",
    ],
)
def test_sign_in_never_leads_to_another_site(client: FlaskClient, elsewhere: str) -> None:
    response = client.post("/sign-in", data={"key": MASTER_KEY, "next": elsewhere}, headers=FROM_OUR_PAGE)
    assert (response.status_code, response.location) == (303, "/")


def test_who_is_signed_in_is_sent_on(signed_in: FlaskClient) -> None:
    response = signed_in.get("/sign-in?next=/jobs")
    assert (response.status_code, response.location) == (303, "/jobs")


def test_sign_out_ends_the_session(signed_in: FlaskClient) -> None:
    assert signed_in.post("/sign-out", headers=FROM_OUR_PAGE).location == "/sign-in"
    assert signed_in.get("/analyze").status_code == 303


def test_another_site_cannot_sign_anybody_out(signed_in: FlaskClient) -> None:
    assert signed_in.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert signed_in.get("/analyze").status_code == 200


def test_who_tries_too_many_keys_sees_so_on_a_page(settings: Settings) -> None:
    strict = create_app(settings.model_copy(update={"rate_limit_per_minute": 1, "rate_limit_burst": 2})).test_client()
    tries = [strict.post("/sign-in", data={"key": "guess"}, headers=FROM_OUR_PAGE) for _ in range(3)]
    assert [response.status_code for response in tries] == [401, 401, 429]
    assert tries[-1].mimetype == "text/html"
    assert "Retry-After" in tries[-1].headers


def test_the_form_says_where_to_find_the_key(client: FlaskClient) -> None:
    text = client.get("/sign-in").text
    assert "scripts/run" in text
    assert "master.key" in text


def test_a_large_form_is_refused_before_it_is_read(client: FlaskClient) -> None:
    response = client.post("/sign-in", data={"key": "k" * 20_000}, headers=FROM_OUR_PAGE)
    assert response.status_code == 413


@pytest.mark.parametrize("address", ["//[", "/\\evil.example", "http://[", "//evil.example/x", "/a\nb"])
def test_an_address_of_nowhere_leads_home(client: FlaskClient, address: str) -> None:
    response = client.post("/sign-in", data={"key": MASTER_KEY, "next": address}, headers=FROM_OUR_PAGE)
    assert response.headers["Location"] == "/"
