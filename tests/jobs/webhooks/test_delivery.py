"""From a job's end to its receiver: once for each end, in its transaction, and signed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from tests.jobs.making import make as make_plain
from tests.jobs.making import new_job, rows, until, wish
from tests.jobs.webhooks.conftest import Send
from tests.jobs.webhooks.receiver import Receiver
from tests.jobs.webhooks.test_docs import verify
from thetool.jobs.claims import Claim
from thetool.jobs.failure import Failure
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.registry import get_kind
from thetool.jobs.runner import Runner
from thetool.jobs.webhooks.jobs import KIND

Make = Callable[..., Any]
Delivery = Callable[..., Any]
URL = "https://hooks.example/x?token=1"


def told_of(job_id: Any, url: str) -> list[Any]:
    """The deliveries of a job, as rows of (event, kind, queue, runs, status)."""
    return rows(
        url,
        "select params->>'event', kind, queue, runs, status from jobs where delivery_of = %s order by id",
        str(job_id),
    )


def test_a_receiver_is_told_with_a_signature_that_fits(
    running: Runner, make: Make, receiver: Receiver, secret: str, api: Send, delivery: Delivery
) -> None:
    job_id = make("sample.noop", text="hello")
    done = delivery(job_id, lambda found: found["status"] == "completed")
    (request,) = receiver.requests
    verify(request.headers, request.body, secret)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("TheTool/")
    assert request.headers["webhook-id"] == done["message_id"]
    assert (done["event"], done["attempts"], done["response_status"]) == ("job.completed", 1, 200)
    assert done["error"] is None
    assert done["next_attempt_at"] is None
    message, job = orjson.loads(request.body), api("GET", f"/jobs/{job_id}")
    assert (message["type"], message["timestamp"]) == ("job.completed", job["finished_at"])
    assert message["data"].pop("result_bytes") > 10
    link = message["data"].pop("links")["result"]
    assert link == f"http://127.0.0.1:8000/api/v1/jobs/{job_id}/result"
    assert message["data"]["result"]["text"] == "hello"
    assert message["data"] == {name: job[name] for name in message["data"]}
    assert set(job) - set(message["data"]) == {"params", "links"}


def test_a_job_without_a_webhook_makes_no_delivery(running: Runner, database: str) -> None:
    job_id = make_plain("sample.noop")
    until(lambda: local.queue.status(job_id) == "completed", "it is done")
    assert rows(database, "select count(*) from jobs") == [(1,)]


def put(queue: Queue, url: str = URL, **more: Any) -> Any:
    job = new_job(webhook_url=url, **more)
    queue.enqueue(job)
    return job.id


def taken(queue: Queue) -> Claim:
    return queue.claim(wish())[0]


def complete(queue: Queue, job_id: Any) -> None:
    assert queue.complete(taken(queue), "{}")


def fail(queue: Queue, job_id: Any) -> None:
    assert queue.fail(taken(queue), Failure("job_failed", "no")) == "failed"


def cancel_queued(queue: Queue, job_id: Any) -> None:
    assert queue.cancel(job_id) == "cancelled"


def cancel_running(queue: Queue, job_id: Any) -> None:
    claim = taken(queue)
    queue.cancel(job_id)
    assert queue.finish_cancelled(claim) == "cancelled"


def lose(queue: Queue, job_id: Any) -> None:
    taken(queue)
    rows(queue.url, "update jobs set lease_expires_at = now() - interval '1 second', attempts = max_attempts")
    assert [row[2] for row in queue.rescue()] == ["failed"]


ENDS = [
    (complete, "job.completed"),
    (fail, "job.failed"),
    (cancel_queued, "job.cancelled"),
    (cancel_running, "job.cancelled"),
    (lose, "job.failed"),
]


@pytest.mark.parametrize(("end", "event"), ENDS, ids=[end.__name__ for end, _ in ENDS])
def test_each_end_makes_one_delivery(queue: Queue, end: Callable[..., None], event: str) -> None:
    job_id = put(queue)
    end(queue, job_id)
    assert told_of(job_id, queue.url) == [(event, KIND, "cpu", "network", "queued")]


def test_a_timed_out_job_is_told_as_failed(running: Runner, make: Make, receiver: Receiver, delivery: Delivery) -> None:
    job_id = make("sample.sleep", seconds=60, timeout=0.2)
    delivery(job_id, lambda found: found["status"] == "completed")
    message = orjson.loads(receiver.requests[0].body)
    assert (message["type"], message["data"]["error"]["code"]) == ("job.failed", "timeout")


def test_a_failed_job_is_told_without_its_traceback(
    running: Runner, make: Make, receiver: Receiver, delivery: Delivery
) -> None:
    job_id = make("sample.fail", text="nothing to see")
    delivery(job_id, lambda found: found["status"] == "completed")
    error = orjson.loads(receiver.requests[0].body)["data"]["error"]
    assert (error["code"], error["traceback"]) == ("job_failed", None)
    assert "nothing to see" in error["message"]


def test_a_job_that_goes_on_makes_none(queue: Queue) -> None:
    job_id = put(queue)
    queue.retry(taken(queue), Failure("x", "x", transient=True), 0)
    claim = taken(queue)
    queue.progress(claim, 0.5, "half", None)
    queue.cancel(job_id)
    assert told_of(job_id, queue.url) == []


def test_the_delivery_is_made_with_the_end_or_not_at_all(queue: Queue) -> None:
    job_id = put(queue)
    claim = taken(queue)

    def break_off(cursor: Any) -> None:
        raise ValueError("this end is not to be")

    with pytest.raises(ValueError, match="not to be"):
        queue.complete(claim, "{}", callbacks=[break_off])
    assert told_of(job_id, queue.url) == []
    assert queue.complete(claim, "{}")
    assert len(told_of(job_id, queue.url)) == 1


def test_the_row_is_what_a_submit_would_have_made(queue: Queue) -> None:
    """The trigger is SQL; the kind is Python: they must agree."""
    job_id = put(queue, correlation_id="a-request")
    complete(queue, job_id)
    kind = get_kind(KIND)
    statement = """
        select kind, queue, runs, timeout_s, max_attempts, owner_id::text, correlation_id, concurrency_key,
            concurrency_limit, params, id::text
        from jobs where delivery_of = %s
    """
    ((*made, params, delivery_id),) = rows(queue.url, statement, str(job_id))
    expected = [KIND, kind.queue, kind.runs, kind.timeout, kind.max_attempts]
    assert made[:7] == [*expected, "00000000-0000-7000-8000-000000000001", "a-request"]
    assert re.fullmatch(r"webhooks 00000000-0000-7000-8000-000000000001 [012]", made[7])
    assert made[8] == 4
    assert kind.params_model.model_validate(params).job_id == job_id  # type: ignore[attr-defined]
    assert delivery_id[14] == "7"
    assert delivery_id > str(job_id)
    assert delivery_id < str(new_job().id)


def test_deliveries_are_neither_depth_nor_quota(queue: Queue) -> None:
    job = new_job(webhook_url=URL)
    queue.enqueue(job)
    complete(queue, job.id)
    assert queue.depth(10) == 0
    assert queue.unfinished_of(job.owner_id, 10) == 0
