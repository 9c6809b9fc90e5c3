"""The OpenAPI document is valid, says all errors in our words, and costs little to ask for again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from thetool import __version__


@pytest.fixture
def document(api: FlaskClient) -> dict[str, Any]:
    return dict(api.get("/openapi.json").json)


def test_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "TheTool"
    assert document["info"]["version"] == __version__
    assert document["servers"] == [{"url": "/"}]


def test_both_ways_to_send_a_key(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["BearerAuth"]["scheme"] == "bearer"
    assert schemes["ApiKeyAuth"]["name"] == "X-API-Key"


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["responses"]["default"], path
            for status, response in operation["responses"].items():
                if status == "default" or status >= "400":
                    [(media_type, content)] = response["content"].items()
                    assert media_type == "application/problem+json"
                    assert content["schema"] == {"$ref": "#/components/schemas/ProblemDetails"}
    assert not {"HTTPError", "ValidationError"} & document["components"]["schemas"].keys()


def test_declared_problems_are_described(document: dict[str, Any]) -> None:
    responses = document["paths"]["/orders"]["post"]["responses"]
    assert "`conflict`" in responses["409"]["description"]
    assert "`queue_full`" in responses["429"]["description"]
    assert "`rate_limited`" in responses["429"]["description"]
    assert responses["422"]["description"] == "Validation error"
    assert document["paths"]["/items/{item_id}"]["get"]["responses"]["404"]["description"].startswith("`not_found`")


def test_operations_are_described(document: dict[str, Any]) -> None:
    place = document["paths"]["/orders"]["post"]
    assert (place["summary"], place["description"]) == ("Place an order.", "It is placed at once.")
    parameters = {parameter["name"]: parameter for parameter in document["paths"]["/items"]["get"]["parameters"]}
    assert parameters["limit"]["description"] == "Rows of a page."
    assert parameters["limit"]["schema"]["maximum"] == 200


def test_one_view_with_two_paths(make_api: Callable[..., APIFlask]) -> None:
    app = make_api()

    @app.get("/new")
    @app.get("/old")
    def both() -> dict[str, Any]:
        return {}

    document = app.test_client().get("/openapi.json").json
    validate(document)
    assert {"/new", "/old"} <= document["paths"].keys()


def test_asked_again_it_is_unchanged(api: FlaskClient) -> None:
    first = api.get("/openapi.json")
    again = api.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""


def test_a_foreign_host_does_not_get_into_it(api: FlaskClient) -> None:
    assert "evil.example" not in api.get("/openapi.json", headers={"Host": "evil.example"}).text


def test_public_address_is_the_server(make_api: Callable[..., APIFlask]) -> None:
    document = make_api(PUBLIC_URL="https://t.example").test_client().get("/openapi.json").json
    assert document["servers"] == [{"url": "https://t.example"}]
