"""How long a caller waits: `Prefer` (RFC 7240) before `?wait=`, between 0 and 300 seconds."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import problem_of


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 10),
        ("respond-async", 0),
        ("wait=5", 5),
        ("Wait = 5", 5),
        ('wait="7"', 7),
        ("respond-async, wait=3", 3),
        ("wait=3; x=y, respond-async", 3),
        ("wait=2, wait=9", 2),
        ("wait=99999", 300),
        ("return=minimal", 10),
        ("wait=soon", 10),
        ("wait=-1", 10),
        ("wait=nan", 10),
        ("wait=inf", 300),
        ("", 10),
        (",;=,", 10),
    ],
)
def test_prefer(api: FlaskClient, prefer: str | None, seconds: float) -> None:
    headers = {} if prefer is None else {"Prefer": prefer}
    assert api.post("/wait", headers=headers).json == {"seconds": seconds}


def test_several_prefer_headers(api: FlaskClient) -> None:
    headers = [("Prefer", "respond-async"), ("Prefer", "wait=4")]
    assert api.post("/wait", headers=headers).json == {"seconds": 4}


@pytest.mark.parametrize(("wait", "seconds"), [("0", 0), ("2.5", 2.5), ("300", 300)])
def test_query(api: FlaskClient, wait: str, seconds: float) -> None:
    assert api.post(f"/wait?wait={wait}").json == {"seconds": seconds}


@pytest.mark.parametrize("wait", ["", "soon", "-1", "nan", "300.5", "inf"])
def test_wrong_query(api: FlaskClient, wait: str) -> None:
    problem = problem_of(api.post(f"/wait?wait={wait}"), 422, "validation_error")
    assert problem["errors"] == [
        {"field": "wait", "message": "must be a number of seconds from 0 to 300", "location": "query"}
    ]


def test_prefer_outranks_the_query(api: FlaskClient) -> None:
    assert api.post("/wait?wait=9", headers={"Prefer": "wait=1"}).json == {"seconds": 1}
