"""The promises of the web room, held by the whole application."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from tests.web.conftest import problem_of
from thetool.web.problems import Problem, all_problems


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/openapi.json").json)


def test_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert operation.get("tags"), (method, path)


def test_every_keyed_operation_refuses_strangers_with_a_problem(client: FlaskClient, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation.get("security"):
                address = re.sub(r"\{\w+\}", "00000000-0000-7000-8000-000000000000", path)
                response = client.open(address, method=method.upper())
                if path.startswith("/ws/"):  # plain HTTP is refused whoever asks
                    problem_of(response, 426, "upgrade_required")
                else:
                    problem_of(response, 401, "unauthenticated")


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v1/jobs/x/y/z"])
def test_unknown_paths_are_problems(client: FlaskClient, path: str) -> None:
    problem_of(client.get(path), 404, "not_found")


def test_one_code_has_one_status(client: FlaskClient) -> None:
    statuses: dict[str, int] = {}
    waiting = [Problem]
    for problem in waiting:
        waiting += problem.__subclasses__()
        assert statuses.setdefault(problem.code, problem.status) == problem.status, problem.code


def test_every_problem_is_explained(client: FlaskClient) -> None:
    page = client.get("/docs/problems").text
    for problem in all_problems():
        assert f'id="{problem.code}"' in page
        assert problem.__doc__, f"{problem.__name__} says nothing of itself"


def test_detailed_health_knows_every_room(client: FlaskClient, master: dict[str, str]) -> None:
    report = client.get("/health/detailed", headers=master).json
    services = report["services"]
    assert services["database"]["status"] == "ok"
    assert services["storage"]["status"] == "ok", services["storage"]
    assert services["queue"]["depth"] == 0, services["queue"]
    assert services["workers"]["status"] == "ok"
    assert report["status"] == "ok", report["warnings"]


@pytest.mark.parametrize("path", ["/health", "/health/live", "/nowhere", "/api/v1/jobs", "/openapi.json"])
def test_an_answer_ends_its_line(client: FlaskClient, master: dict[str, str], path: str) -> None:
    """So that a shell's prompt does not stand behind it."""
    assert client.get(path, headers=master).data.endswith(b"}\n")


def test_sections_come_in_the_order_of_need_and_each_says_what_it_is(document: dict[str, Any]) -> None:
    names = [tag["name"] for tag in document["tags"]]
    assert names[0] == "Analyze"
    assert names[-1] == "Health"
    assert len(names) == len(set(names))
    assert all(tag["description"] for tag in document["tags"])
    paths = list(document["paths"])
    assert paths[0] == "/analyze"
    tags = [[operation["tags"][0] for operation in operations.values()] for operations in document["paths"].values()]
    sections = [min(of_path, key=names.index) for of_path in tags]  # one path may have routes of two
    assert sections == sorted(sections, key=names.index)
