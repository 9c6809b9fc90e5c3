"""What becomes of a delivery: tried again, sent again, given up; and whom it does not hold up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.jobs.making import make as make_plain
from tests.jobs.making import rows, until
from tests.jobs.sample_jobs import Params
from tests.jobs.webhooks.conftest import Send
from tests.jobs.webhooks.receiver import Receiver, misbehaving
from tests.jobs.webhooks.test_delivery import put, told_of
from tests.jobs.webhooks.test_docs import verify
from thetool.config import Settings
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.webhooks import payload
from thetool.jobs.webhooks.asked import Webhook
from thetool.jobs.webhooks.jobs import KIND, PAUSES_SECONDS

Make = Callable[..., Any]
Delivery = Callable[..., Any]


def test_a_receiver_that_fails_is_told_again(
    running: Runner, make: Make, receiver: Receiver, secret: str, api: Send, delivery: Delivery
) -> None:
    receiver.answers.append((503, {"Retry-After": "7000"}))
    job_id = make("sample.noop")
    waiting = delivery(job_id, lambda found: found["status"] == "queued" and found["attempts"] == 1)
    assert waiting["error"] == {"code": "webhook_status", "message": "The receiver answered 503."}
    assert waiting["response_status"] == 503
    wait = datetime.fromisoformat(waiting["next_attempt_at"]) - datetime.now(UTC)
    assert timedelta(seconds=6000) < wait < timedelta(seconds=7100)
    assert api("POST", f"/jobs/{job_id}/deliveries", 202)["id"] == waiting["id"]
    done = delivery(job_id, lambda found: found["status"] == "completed")
    assert (done["id"], done["attempts"], done["response_status"]) == (waiting["id"], 2, 200)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    verify(second.headers, second.body, secret)


def test_the_attempts_reach_over_a_day(running: Runner, make: Make, delivery: Delivery) -> None:
    assert 20 * 3600 < sum(PAUSES_SECONDS) < 28 * 3600
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    job_id = make("sample.noop", url=f"http://127.0.0.1:{port}/")
    waiting = delivery(job_id, lambda found: found["attempts"] == 1 and found["status"] == "queued")
    assert (waiting["error"]["code"], waiting["response_status"]) == ("webhook_unreachable", None)
    assert waiting["max_attempts"] == len(PAUSES_SECONDS) + 1
    wait = datetime.fromisoformat(waiting["next_attempt_at"]) - datetime.now(UTC)
    assert wait < timedelta(seconds=12)


@pytest.mark.parametrize(("status", "code"), [(410, "webhook_gone")])
def test_a_receiver_that_is_gone_is_not_told_again(
    running: Runner, make: Make, receiver: Receiver, delivery: Delivery, status: int, code: str
) -> None:
    receiver.answers.append((status, {}))
    found = delivery(make("sample.noop"), lambda found: found["status"] == "failed")
    assert (found["error"]["code"], found["attempts"], found["response_status"]) == (code, 1, status)


def test_a_redirect_says_what_to_do(running: Runner, make: Make, receiver: Receiver, delivery: Delivery) -> None:
    receiver.answers.append((301, {"Location": "http://127.0.0.1:1/"}))
    found = delivery(make("sample.noop"), lambda found: found["attempts"] == 1 and found["status"] == "queued")
    assert "give the address itself" in found["error"]["message"]
    assert len(receiver.requests) == 1


def test_what_a_receiver_answered_is_read_out_of_no_sentence(
    running: Runner, make: Make, receiver: Receiver, delivery: Delivery, database: str
) -> None:
    """The words are for people, and may change: deliveries that were refused in other words tell the same."""
    receiver.answers.append((418, {}))
    job_id = make("sample.noop")
    delivery(job_id, lambda found: found["attempts"] == 1 and found["status"] == "queued")
    change = "update jobs set error = error || jsonb_build_object('message', 'Short and stout.') where delivery_of = %s"
    rows(database, change, str(job_id))
    assert delivery(job_id, lambda found: True)["response_status"] == 418


def test_it_can_be_told_again_later(
    running: Runner, make: Make, receiver: Receiver, api: Send, delivery: Delivery
) -> None:
    job_id = make("sample.noop")
    first = delivery(job_id, lambda found: found["status"] == "completed")
    again = api("POST", f"/jobs/{job_id}/deliveries", 202)
    assert again["id"] != first["id"]
    assert again["message_id"] == first["message_id"]
    delivery(job_id, lambda found: found["id"] == again["id"] and found["status"] == "completed")
    assert len(api("GET", f"/jobs/{job_id}/deliveries")["items"]) == len(receiver.requests) == 2


def test_a_repeated_request_tells_it_again_once(
    running: Runner, make: Make, receiver: Receiver, api: Send, delivery: Delivery
) -> None:
    """With a key, for who asks has not heard the first answer."""
    job_id, key = make("sample.noop"), {"Idempotency-Key": "again"}
    delivery(job_id, lambda found: found["status"] == "completed")
    again = api("POST", f"/jobs/{job_id}/deliveries", 202, headers=key)
    delivery(job_id, lambda found: found["id"] == again["id"] and found["status"] == "completed")
    assert api("POST", f"/jobs/{job_id}/deliveries", 202, headers=key)["id"] == again["id"]
    assert len(receiver.requests) == 2
    other = make("sample.noop")
    delivery(other, lambda found: found["status"] == "completed")
    assert api("POST", f"/jobs/{other}/deliveries", 409, headers=key)["code"] == "idempotency_conflict"


def test_what_cannot_be_told_again(running: Runner, make: Make, api: Send) -> None:
    assert api("POST", f"/jobs/{make_plain('sample.noop')}/deliveries", 409)["code"] == "no_webhook"
    job_id = make("sample.sleep", seconds=30)
    assert api("POST", f"/jobs/{job_id}/deliveries", 409)["code"] == "job_unfinished"
    assert api("GET", f"/jobs/{job_id}/deliveries") == {"items": []}
    assert api("GET", f"/jobs/{uuid4()}/deliveries", 404)["code"] == "not_found"


def test_a_job_that_is_put_back_meanwhile_is_unfinished(
    running: Runner, make: Make, api: Send, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = make("sample.noop")
    delivery(job_id, lambda found: found["status"] == "completed")
    put_back = "update jobs set status = 'queued', run_at = 'infinity' where id = %s"
    monkeypatch.setattr(local, "release_session", lambda: rows(running.queue.url, put_back, str(job_id)))
    assert api("POST", f"/jobs/{job_id}/deliveries", 409)["code"] == "job_unfinished"


def test_lists_of_jobs_leave_deliveries_out(running: Runner, make: Make, api: Send, delivery: Delivery) -> None:
    job_id = make("sample.noop")
    found = delivery(job_id, lambda found: found["status"] == "completed")
    assert [item["id"] for item in api("GET", "/jobs")["items"]] == [str(job_id)]
    assert [item["id"] for item in api("GET", f"/jobs?kind={KIND}")["items"]] == [found["id"]]


def test_a_strangers_deliveries_are_not_there(
    running: Runner, make: Make, client: FlaskClient, master: dict[str, str], delivery: Delivery
) -> None:
    job_id = make("sample.noop")
    delivery(job_id, lambda found: found["status"] == "completed")
    stranger = client.post("/api/v1/keys", json={"name": "a stranger"}, headers=master).json["key"]
    for method in ("GET", "POST"):
        answer = client.open(f"/api/v1/jobs/{job_id}/deliveries", method=method, headers={"X-API-Key": stranger})
        assert answer.status_code == 404


def test_a_job_that_is_put_back_or_deleted_is_not_told_of(queue: Queue, make: Make, running: Runner) -> None:
    other_end = "update jobs set finished_at = finished_at + interval '1 second' where id = %s"
    for change in ("delete from jobs where id = %s", other_end):
        running.groups["network"].stop_looking()
        job_id = make("sample.noop")
        until(lambda found=job_id: told_of(found, queue.url), "the delivery is made")
        rows(queue.url, change, str(job_id))
        running.groups["network"].looking = True
        running.groups["network"].wake()
        until(lambda found=job_id: told_of(found, queue.url)[0][4] == "failed", "the delivery is given up")
        code = rows(queue.url, "select error->>'code' from jobs where delivery_of = %s", str(job_id))
        assert code == [("webhook_job_gone",)]


def test_a_large_result_is_left_to_its_link(
    running: Runner, make: Make, receiver: Receiver, delivery: Delivery, api: Send
) -> None:
    job_id = make("sample.noop", text="x" * payload.INLINE_BYTES)
    delivery(job_id, lambda found: found["status"] == "completed")
    data = orjson.loads(receiver.requests[0].body)["data"]
    assert data["result"] is None
    assert data["result_bytes"] > payload.INLINE_BYTES
    assert data["links"]["result"].endswith(f"/api/v1/jobs/{job_id}/result")


def test_the_old_secret_signs_along(
    running: Runner, make: Make, receiver: Receiver, secret: str, api: Send, delivery: Delivery
) -> None:
    new = api("POST", "/keys/current/webhook-secret", 201)["webhook_secret"]
    delivery(make("sample.noop"), lambda found: found["status"] == "completed")
    (request,) = receiver.requests
    for one in (secret, new):
        verify(request.headers, request.body, one)
    with pytest.raises(ValueError, match="not signed"):
        verify(request.headers, request.body, "whsec_" + "A" * 43 + "=")


def test_an_issued_keys_jobs_are_signed_with_its_own_secret(
    running: Runner, receiver: Receiver, secret: str, client: FlaskClient, master: dict[str, str], delivery: Delivery
) -> None:
    key = client.post("/api/v1/keys", json={"name": "sender"}, headers=master).json
    own = client.post("/api/v1/keys/current/webhook-secret", headers={"X-API-Key": key["key"]}).json["webhook_secret"]
    webhook = Webhook(receiver.url, key["id"])
    submit("sample.noop", Params(), owner_id=key["owner_id"], webhook=webhook)
    until(lambda: receiver.requests, "the receiver was told")
    (request,) = receiver.requests
    verify(request.headers, request.body, own)
    with pytest.raises(ValueError, match="not signed"):
        verify(request.headers, request.body, secret)


def test_a_secret_that_is_lost_is_told(
    app: Any, secret: str, queue: Queue, receiver: Receiver, delivery: Delivery, job_settings: Settings
) -> None:
    job_id = put(queue, url=receiver.url)
    changed = job_settings.model_copy(update={"secret_key": SecretStr("another-secret-key-of-some-length")})
    runner = Runner(changed)
    runner.start()
    try:
        found = delivery(job_id, lambda found: found["status"] == "failed")
    finally:
        runner.close()
    assert found["error"]["code"] == "webhook_secret_lost"
    assert receiver.requests == []


def test_private_addresses_are_refused_when_it_comes_to_them(
    app: Any, secret: str, queue: Queue, receiver: Receiver, delivery: Delivery, job_settings: Settings
) -> None:
    job_id = put(queue, url=receiver.url)
    runner = Runner(job_settings.model_copy(update={"webhook_allow_private": False}))
    runner.start()
    try:
        found = delivery(job_id, lambda found: found["status"] == "failed")
    finally:
        runner.close()
    assert (found["error"]["code"], found["attempts"]) == ("webhook_address_refused", 1)
    assert "127.0.0.1" in found["error"]["message"]
    assert receiver.requests == []


def test_receivers_that_never_answer_hold_up_no_other_job(running: Runner, make: Make, database: str) -> None:
    asked = threading.Semaphore(0)

    def never(connection: socket.socket, over: threading.Event) -> None:
        asked.release()
        over.wait(60)

    with misbehaving(never) as port:
        for _ in range(4):
            make("sample.noop", url=f"http://127.0.0.1:{port}/")
        for _ in range(running.groups["network"].size):
            assert asked.acquire(timeout=30)
        for runs in ("sample.noop", "sample.child"):
            job_id = make_plain(runs, text="echo")
            until(lambda found=job_id: local.queue.status(found) == "completed", "it is done beside them")
        assert rows(database, "select count(*) from jobs where kind = %s and status = 'running'", KIND) == [(2,)]


def test_a_batch_of_jobs_is_told_of_one_by_one(running: Runner, make: Make, receiver: Receiver, database: str) -> None:
    jobs = {str(make("sample.noop")) for _ in range(30)}
    waiting = "select count(*) from jobs where kind = %s and status <> 'completed'"
    until(lambda: len(receiver.requests) >= 30 and rows(database, waiting, KIND) == [(0,)], "all are told")
    assert sorted(orjson.loads(request.body)["data"]["id"] for request in receiver.requests) == sorted(jobs)
