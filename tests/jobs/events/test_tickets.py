from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.jobs.making import OWNER, make, new_job, rows
from tests.jobs.sample_jobs import Params
from thetool.config import Settings
from thetool.jobs.events import tickets
from thetool.jobs.events.tickets import InvalidTicket, TicketExpired, caller_of_ticket, make_ticket
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.telemetry.redaction import Redactor


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def job_links(running: Runner, client: FlaskClient, master: dict[str, str]) -> dict[str, str]:
    job_id = make("sample.sleep", seconds=60)
    return client.get(f"/api/v1/jobs/{job_id}", headers=master).json["links"]


def refused(client: FlaskClient, path: str, status: int, code: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json


def test_a_jobs_links_open_its_stream_without_a_key(job_links: dict[str, str], client: FlaskClient) -> None:
    assert job_links["websocket_url"].startswith("ws://localhost/ws/jobs/")
    answer = client.get(path_of(job_links["events_url"]))
    assert answer.status_code == 200
    assert b"retry:" in next(answer.response)
    answer.close()


def test_a_ticket_opens_nothing_else(job_links: dict[str, str], client: FlaskClient) -> None:
    (ticket,) = parse_qs(urlsplit(job_links["events_url"]).query)["ticket"]
    for path in ("", "/result"):
        refused(client, f"{urlsplit(job_links['self']).path}{path}", 401, "unauthenticated")
    refused(client, f"/api/v1/jobs/{make('sample.noop')}/events?ticket={ticket}", 401, "invalid_ticket")
    refused(client, f"/api/v1/jobs/{uuid4()}/events?ticket={ticket}", 401, "invalid_ticket")


@pytest.mark.parametrize("ticket", ["", "x", "a" * 75, "%F0%9F%8E%9F", "=" * 8, "-" * 200])
def test_a_forged_ticket_is_refused(job_links: dict[str, str], client: FlaskClient, ticket: str) -> None:
    refused(client, f"{urlsplit(job_links['events_url']).path}?ticket={ticket}", 401, "invalid_ticket")


def test_a_changed_ticket_is_refused(settings: Settings) -> None:
    job_id, ticket = uuid4(), ""
    ticket = make_ticket(settings, job_id, OWNER, None)
    assert caller_of_ticket(settings, job_id, ticket)[0].owner_id == OWNER
    for place in range(0, len(ticket) - 1, 7):
        other = "A" if ticket[place] != "A" else "B"
        with pytest.raises(InvalidTicket):
            caller_of_ticket(settings, job_id, ticket[:place] + other + ticket[place + 1 :])


def test_a_ticket_of_another_service_is_refused(settings: Settings) -> None:
    job_id = uuid4()
    elsewhere = settings.model_copy(update={"master_api_key": type(settings.master_api_key)("x" * 40)})  # type: ignore[arg-type]
    with pytest.raises(InvalidTicket):
        caller_of_ticket(settings, job_id, make_ticket(elsewhere, job_id, OWNER, None))


def test_a_ticket_is_good_for_a_day(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = uuid4()
    ticket = make_ticket(settings, job_id, OWNER, None)
    now = time.time()
    monkeypatch.setattr(tickets.time, "time", lambda: now + 24 * 3600 - 60)
    assert 0 < caller_of_ticket(settings, job_id, ticket)[1] <= 61
    monkeypatch.setattr(tickets.time, "time", lambda: now + 24 * 3600 + 1)
    with pytest.raises(TicketExpired):
        caller_of_ticket(settings, job_id, ticket)


def test_a_ticket_outlives_its_job_by_five_minutes(
    queue: Queue, running: Runner, client: FlaskClient, settings: Settings
) -> None:
    job = new_job(kind="elsewhere.ticket")
    queue.enqueue(job)
    queue.cancel(job.id)
    path = f"/api/v1/jobs/{job.id}/events?ticket={make_ticket(settings, job.id, OWNER, None)}"
    for age, status in (("4 minutes", 200), ("6 minutes", 401)):
        rows(queue.url, f"update jobs set finished_at = now() - interval '{age}' where id = %s", str(job.id))
        assert client.get(path).status_code == status
    refused(client, path, 401, "ticket_expired")


@pytest.fixture
def issued(running: Runner, client: FlaskClient, master: dict[str, str]) -> tuple[str, str]:
    """An issued key: its id, and the link to the stream of a job that it may read."""
    key = client.post("/api/v1/keys", json={"name": "listener"}, headers=master).json
    job_id = submit("sample.sleep", Params(seconds=60), owner_id=UUID(key["owner_id"])).job_id
    job = client.get(f"/api/v1/jobs/{job_id}", headers={"X-API-Key": key["key"]}).json
    return key["id"], path_of(job["links"]["events_url"])


def test_a_ticket_ends_with_its_key(issued: tuple[str, str], client: FlaskClient, master: dict[str, str]) -> None:
    key_id, path = issued
    answer = client.get(path)
    assert answer.status_code == 200
    answer.close()
    assert client.delete(f"/api/v1/keys/{key_id}", headers=master).status_code == 204
    refused(client, path, 401, "invalid_ticket")


def test_an_open_stream_ends_with_its_key(issued: tuple[str, str], client: FlaskClient, master: dict[str, str]) -> None:
    key_id, path = issued
    before = set(local.streams._open)  # of other tests
    answer = client.get(path)
    pieces = answer.response
    next(pieces)
    local.streams.look(time.monotonic(), check=True)
    (stream,) = set(local.streams._open) - before
    assert stream.ended is None
    client.delete(f"/api/v1/keys/{key_id}", headers=master)
    local.streams.look(time.monotonic(), check=True)
    assert b"the key has ended" in b"".join(pieces)
    answer.close()


def test_a_new_master_key_ends_the_tickets_of_the_old(settings: Settings) -> None:
    """Also where SECRET_KEY, which signs, stays the same."""
    fixed = {"secret_key": SecretStr("s" * 40)}
    job_id, now = uuid4(), settings.model_copy(update=fixed)
    later = settings.model_copy(update={**fixed, "master_api_key": SecretStr("x" * 40)})
    ticket = make_ticket(now, job_id, OWNER, None)
    assert caller_of_ticket(now, job_id, ticket)[0].key_id is None
    with pytest.raises(InvalidTicket):
        caller_of_ticket(later, job_id, ticket)


def test_a_finished_job_has_no_streams_any_more(running: Runner, client: FlaskClient, master: dict[str, str]) -> None:
    job = client.get(f"/api/v1/jobs/{make('sample.noop')}?wait=30", headers=master).json
    assert (job["links"]["events_url"], job["links"]["websocket_url"]) == (None, None)


def test_tickets_are_not_logged(
    settings: Settings, job_links: dict[str, str], caplog: Any, client: FlaskClient
) -> None:
    ticket = make_ticket(settings, uuid4(), OWNER, None)
    assert ticket not in Redactor()(f"Error handling request /ws/jobs/x?ticket={ticket}&after=1")
    caplog.set_level(logging.DEBUG)
    client.get(path_of(job_links["events_url"])).close()
    (ticket,) = parse_qs(urlsplit(job_links["events_url"]).query)["ticket"]
    assert ticket not in caplog.text


def test_nothing_without_a_key_or_a_ticket(running: Runner, client: FlaskClient) -> None:
    refused(client, f"/api/v1/jobs/{make('sample.noop')}/events", 401, "unauthenticated")


def test_a_strangers_job_is_not_there(running: Runner, client: FlaskClient, master: dict[str, str]) -> None:
    wanted = {"name": "a stranger", "scopes": ["read"]}
    key = client.post("/api/v1/keys", json=wanted, headers=master).json["key"]
    for job_id in (make("sample.noop"), uuid4()):
        answer = client.get(f"/api/v1/jobs/{job_id}/events", headers={"X-API-Key": key})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "header"),
    [("after=x", {}), ("after=-1", {}), ("after=" + "9" * 40, {}), ("other=1", {}), ("", {"Last-Event-ID": "1;drop"})],
)
def test_a_wrong_place_is_refused(
    running: Runner, client: FlaskClient, master: dict[str, str], query: str, header: dict[str, str]
) -> None:
    answer = client.get(f"/api/v1/jobs/{make('sample.noop')}/events?{query}", headers={**master, **header})
    assert (answer.status_code, answer.json["code"]) == (422, "validation_error")


def test_a_websocket_is_asked_for_as_one(running: Runner, client: FlaskClient, master: dict[str, str]) -> None:
    path = f"/ws/jobs/{make('sample.noop')}"
    answer = client.get(path, headers=master)
    assert (answer.status_code, answer.json["code"]) == (426, "upgrade_required")
    assert answer.headers["Upgrade"] == "websocket"
    asked = {**master, "Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "8"}
    assert client.get(path, headers=asked).status_code == 426
    wrong = {**asked, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "short"}
    assert client.get(path, headers=wrong).status_code == 400
