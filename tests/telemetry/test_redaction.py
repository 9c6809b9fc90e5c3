"""No secret gets into a log line, and innocent words stay."""

from __future__ import annotations

import json

import pytest

from thetool.telemetry.redaction import MASK, Redactor

SECRET = "s3cr3tValue-0123456789"


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization=Bearer {SECRET}",
        f"Authorization: Basic {SECRET}",
        f"sent bearer {SECRET} to the other side",
        f"X-API-Key: {SECRET}",
        json.dumps({"x-api-key": SECRET}),
        json.dumps({"headers": {"Authorization": f"Bearer {SECRET}"}}),
        json.dumps({"event": json.dumps({"authorization": f"Bearer {SECRET}"})}),
        str({"Authorization": f"Bearer {SECRET}"}),
        str([("X-Api-Key", SECRET), ("Accept", "*/*")]),
        f"Cookie: {SECRET}",
        f"GET /files/1?expires=5&signature={SECRET}&x=1",
        f"GET /ws?ticket={SECRET}",
        f"/x?key={SECRET}",
        f"/x?a=1&token={SECRET}",
        f"/x?access_token={SECRET}",
        f"/x?api_key={SECRET}",
        f"/x?X-Amz-Signature={SECRET}&X-Amz-Credential={SECRET}",
        f"postgresql://user:{SECRET}@host:5432/db",
        f"host=x password={SECRET} dbname=y",
        f"password: '{SECRET}'",
        "key tt_0123456789abcdefghijABCDEFGHIJ0123456789abc was used",
        f"the master key is {SECRET}!",
    ],
)
def test_secrets_are_masked(line: str) -> None:
    redacted = Redactor([SECRET])(line)
    assert MASK in redacted
    assert SECRET not in redacted
    assert "0123456789abcdefghij" not in redacted


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {SECRET}",
        json.dumps({"x-api-key": SECRET}),
        f"/x?signature={SECRET}",
        f"postgresql://user:{SECRET}@host/db",
    ],
)
def test_secrets_nobody_told_of_are_masked_too(line: str) -> None:
    assert SECRET not in Redactor()(line)


@pytest.mark.parametrize(
    "line",
    [
        "the key is in the lock",
        "dedupe_key=schedule:1",
        "cache_key=abc",
        "claim_token: 5",
        "https://user@host/path",
        "http://localhost:8000/health",
        "2026-11-21T10:00:00Z token bucket is empty",
        "a bearer of good news",
        json.dumps({"event": "request", "path": "/api/v1/keys", "status": 200}),
    ],
)
def test_innocent_lines_stay(line: str) -> None:
    assert Redactor([SECRET])(line) == line


def test_json_stays_json() -> None:
    line = json.dumps({"headers": {"Authorization": f"Bearer {SECRET}", "Cookie": f"a={SECRET}; b=2"}, "n": [1, None]})
    assert json.loads(Redactor([SECRET])(line))["n"] == [1, None]


def test_short_values_are_no_secrets() -> None:
    assert Redactor(["a", ""])("banana") == "banana"
