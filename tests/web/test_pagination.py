"""Lists in pages: cursors of their own list, limits, links to the next page."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.conftest import problem_of


def test_all_rows_come_once_in_order(api: FlaskClient) -> None:
    found: list[int] = []
    address: str | None = "/items?limit=30"
    while address:
        page = api.get(address).json
        found += page["items"]
        address = page["next"]
    assert found == list(range(100, 0, -1))


def test_default_page_has_fifty(api: FlaskClient) -> None:
    assert len(api.get("/items").json["items"]) == 50


def test_next_is_in_the_link_header_and_keeps_the_query(api: FlaskClient) -> None:
    response = api.get("/items?limit=10")
    assert response.headers["Link"] == f'<{response.json["next"]}>; rel="next"'
    assert response.json["next"].startswith("http://localhost/items?limit=10&cursor=")


def test_an_evil_host_gives_no_broken_link(api: FlaskClient) -> None:
    address = api.get("/items?limit=1", headers={"Host": "a b"}).json["next"]
    assert address.startswith("http://127.0.0.1:8000/items?")


def test_last_page_has_no_next(api: FlaskClient) -> None:
    response = api.get("/items?limit=100")
    assert response.json["next"] is None
    assert "Link" not in response.headers


def test_links_start_with_the_public_address(make_api: Callable[..., APIFlask]) -> None:
    client = make_api(PUBLIC_URL="https://tool.example.com/").test_client()
    page = client.get("/items?limit=1", headers={"Host": "evil.example"}).json
    assert page["next"].startswith("https://tool.example.com/items?")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=-1", "limit=x", "limit=1.5", "size=1", "limit="])
def test_wrong_query(api: FlaskClient, query: str) -> None:
    problem = problem_of(api.get(f"/items?{query}"), 422, "validation_error")
    assert problem["errors"][0]["location"] == "query"


def test_cursor_of_another_list(api: FlaskClient) -> None:
    cursor = re.search(r"cursor=([^&]+)", api.get("/items?limit=1").json["next"])
    assert cursor is not None
    assert api.get(f"/items?cursor={cursor[1]}").status_code == 200
    problem = problem_of(api.get(f"/others?cursor={cursor[1]}"), 422, "validation_error")
    assert problem["errors"][0]["field"] == "cursor"


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["x", "", "%00", "é", encoded("[]"), encoded('["items"]'), encoded('["items", 5]'), encoded('["items", "x"]')]
    + [encoded('["items", "1", "2"]'), encoded("{}"), encoded("5"), encoded("[" * 400), "A" * 513],
)
def test_tampered_cursor(api: FlaskClient, cursor: str) -> None:
    problem_of(api.get("/items", query_string={"cursor": cursor}), 422, "validation_error")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=st.text(max_size=60))
def test_no_cursor_breaks_the_list(api: FlaskClient, cursor: str) -> None:
    response = api.get("/items", query_string={"cursor": cursor.encode("utf-8", "replace")})
    assert response.status_code in {200, 422}
