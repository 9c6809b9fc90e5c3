"""Analyze, Jobs, Settings and the status line, as the server sends them."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.pages.conftest import FROM_OUR_PAGE
from thetool.analyze.tasks import TASKS
from thetool.database import health as database_health


def browser_with_key(app: Flask, master: dict[str, str], *scopes: str) -> tuple[FlaskClient, str]:
    """A browser signed in with a new key of these scopes, and the key's id."""
    browser = app.test_client()
    issued = browser.post("/api/v1/keys", json={"name": "Ada <b>", "scopes": list(scopes)}, headers=master)
    assert issued.status_code == 201, issued.text
    assert browser.post("/sign-in", data={"key": issued.json["key"]}, headers=FROM_OUR_PAGE).status_code == 303
    return browser, issued.json["id"]


def test_analyze_offers_the_tasks_that_the_api_has(signed_in: FlaskClient) -> None:
    text = signed_in.get("/analyze").text
    for task in TASKS:
        box = f'name="task" value="{task.name}" data-kind="{task.kind}"{" checked" if task.usual else ""}>'
        assert box in text, task


def test_analyze_takes_http_addresses_where_the_service_fetches_them(
    app: Flask, signed_in: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "data-http" not in signed_in.get("/analyze").text
    private = app.config["THETOOL_SETTINGS"].model_copy(update={"fetch_allow_private": True})
    monkeypatch.setitem(app.config, "THETOOL_SETTINGS", private)
    assert "data-http" in signed_in.get("/analyze").text


def test_jobs_keeps_the_filters_of_its_address(signed_in: FlaskClient) -> None:
    text = signed_in.get('/jobs?status=failed&kind="><script>').text
    assert "<option selected>failed</option>" in text
    assert "<script>" not in text


def test_a_job_that_is_no_id_is_not_found(signed_in: FlaskClient) -> None:
    assert signed_in.get("/jobs/1").status_code == 404


def test_settings_says_who_you_are_and_issues_keys_to_admins_only(
    app: Flask, signed_in: FlaskClient, master: dict[str, str]
) -> None:
    assert 'id="new-key"' in signed_in.get("/settings").text
    reader, _ = browser_with_key(app, master, "read")
    text = reader.get("/settings").text
    assert "Ada &lt;b&gt;" in text
    assert 'id="new-key"' not in text


def test_a_revoked_key_is_signed_out(app: Flask, client: FlaskClient, master: dict[str, str]) -> None:
    browser, key_id = browser_with_key(app, master, "read", "write")
    assert browser.get("/analyze").status_code == 200
    assert client.delete(f"/api/v1/keys/{key_id}", headers=master).status_code == 204
    assert browser.get("/analyze").status_code == 303


def test_the_status_line_needs_a_sign_in(client: FlaskClient) -> None:
    assert client.get("/status.json").status_code == 401


def test_the_status_line_tells_what_is_not_well(app: Flask, signed_in: FlaskClient) -> None:
    database_health.register(app)  # a later application of this process has taken its place
    status = signed_in.get("/status.json").json
    assert set(status) == {"trouble", "queued", "running", "workers"}
    assert not [line for line in status["trouble"] if line.startswith("database:")]
