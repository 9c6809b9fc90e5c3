from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.jobs.making import OWNER, make, new_job, problem, rows, wish
from thetool.config import Settings
from thetool.jobs.claims import NewJob
from thetool.jobs.failure import Failure
from thetool.jobs.groups.requeue import EqualIsUnfinished, Requeued, requeue, requeue_kind
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.waiting import look_at, wait_for

FAILURE = Failure("job_failed", "It failed.", "Traceback of the owner")
STRANGER = UUID("00000000-0000-7000-8000-000000000009")


def failed(queue: Queue, **changes: Any) -> NewJob:
    job = new_job(**changes)
    queue.enqueue(job)
    for claim in queue.claim(wish(kind=job.kind)):
        queue.fail(claim, FAILURE)
    return job


def test_a_failed_job_gets_all_its_attempts_again(queue: Queue) -> None:
    job = failed(queue)
    rows(queue.url, "update jobs set attempts = 3, lost = 1, progress = 0.5, stage = 'x', message = 'y'")
    assert requeue(queue, job.id)
    told = "select status, attempts, lost, progress, stage, message, finished_at, expires_at, started_at from jobs"
    assert rows(queue.url, told) == [("queued", 0, 0, 0.0, None, None, None, None, None)]
    assert rows(queue.url, "select error->>'code' from jobs") == [("job_failed",)]
    (claim,) = queue.claim(wish())
    assert claim.attempt == 1
    assert queue.complete(claim, "{}")
    assert rows(queue.url, "select error from jobs") == [(None,)]


def test_a_cancelled_job_can_be_put_back_and_is_not_cancelled_again(queue: Queue) -> None:
    job = new_job()
    queue.enqueue(job)
    queue.cancel(job.id)
    assert requeue(queue, job.id)
    (claim,) = queue.claim(wish())
    assert queue.complete(claim, "{}")


def test_others_are_left(queue: Queue) -> None:
    for end in ("queued", "running", "completed"):
        job = new_job()
        queue.enqueue(job)
        if end != "queued":
            (claim,) = queue.claim(wish())
            if end == "completed":
                queue.complete(claim, "{}")
        assert not requeue(queue, job.id)
        rows(queue.url, "delete from jobs")
    assert not requeue(queue, uuid4())


def test_all_failed_jobs_of_a_kind_the_oldest_first(queue: Queue) -> None:
    jobs = [failed(queue) for _ in range(5)]
    other = failed(queue, kind="sample.other")
    assert requeue_kind(queue, "sample.noop", None, limit=3) == Requeued(3, 2)
    assert [queue.status(job.id) for job in jobs] == ["queued"] * 3 + ["failed"] * 2
    assert requeue_kind(queue, "sample.noop", None) == Requeued(2, 0)
    assert requeue_kind(queue, "sample.noop", None) == Requeued(0, 0)
    assert queue.status(other.id) == "failed"


def test_only_those_of_the_owner(queue: Queue) -> None:
    rows(queue.url, "insert into owners (id, name) values (%s, 'stranger')", str(STRANGER))
    mine, theirs = failed(queue), failed(queue, owner_id=STRANGER)
    assert requeue_kind(queue, "sample.noop", STRANGER) == Requeued(1, 0)
    assert (queue.status(mine.id), queue.status(theirs.id)) == ("failed", "queued")


def test_of_equal_jobs_one_is_put_back(queue: Queue) -> None:
    equals = [failed(queue, dedupe_key="k") for _ in range(3)]
    other = failed(queue, dedupe_key="other")
    assert requeue_kind(queue, "sample.noop", None) == Requeued(2, 0)
    assert [queue.status(job.id) for job in (*equals, other)] == ["failed", "failed", "queued", "queued"]
    assert requeue_kind(queue, "sample.noop", None) == Requeued(0, 0)
    with pytest.raises(EqualIsUnfinished):
        requeue(queue, equals[0].id)


def test_a_parent_waits_again_for_a_child_that_is_put_back(queue: Queue) -> None:
    parent = new_job()
    queue.enqueue(parent)
    children = [
        failed(queue, kind="sample.part", parent_id=parent.id),
        new_job(kind="sample.part", parent_id=parent.id),
    ]
    queue.enqueue(children[1])
    rows(queue.url, "update jobs set run_at = 'infinity', children_left = 1 where id = %s", str(parent.id))
    assert requeue(queue, children[0].id)
    assert rows(queue.url, "select children_left from jobs where id = %s", str(parent.id)) == [(2,)]
    while claims := queue.claim(wish(kind="sample.part")):
        for claim in claims:
            queue.complete(claim, "{}")
    waits = "select children_left, run_at <= now() from jobs where id = %s"
    assert rows(queue.url, waits, str(parent.id)) == [(0, True)]


def test_over_http(app: Flask, queue: Queue, api: Any) -> None:
    job, another = failed(queue), failed(queue)
    answer = api("POST", f"/{job.id}/requeue")
    assert (answer.status_code, answer.json["status"], answer.json["error"]["code"]) == (200, "queued", "job_failed")
    refused = api("POST", f"/{job.id}/requeue")
    assert (refused.status_code, refused.json["code"]) == (409, "job_not_failed")
    assert api("POST", "/requeue", json={"kind": "sample.noop"}).json == {"requeued": 1, "left": 0}
    assert queue.status(another.id) == "queued"
    assert api("POST", f"/{uuid4()}/requeue").status_code == 404
    for wrong in ({}, {"kind": ""}, {"kind": "a.b", "limit": 1001}, {"kind": "a.b", "other": 1}):
        assert api("POST", "/requeue", json=wrong).status_code == 422
    rows(queue.url, "delete from jobs")
    older, _ = failed(queue, dedupe_key="k"), failed(queue, dedupe_key="k")
    assert api("POST", "/requeue", json={"kind": "sample.noop"}).json == {"requeued": 1, "left": 0}
    conflict = api("POST", f"/{older.id}/requeue")
    assert (conflict.status_code, conflict.json["code"]) == (409, "duplicate_job")


def test_what_is_put_back_counts_like_what_is_made(
    app: Flask, queue: Queue, client: FlaskClient, api: Any, master: dict[str, str], job_settings: Settings
) -> None:
    wanted = {"name": "small", "scopes": ["read", "write"], "job_quota": 1}
    issued = client.post("/api/v1/keys", json=wanted, headers=master).json
    key, owner_id = {"headers": {"Authorization": f"Bearer {issued['key']}"}}, UUID(issued["owner_id"])
    jobs = [failed(queue, owner_id=owner_id) for _ in range(2)]
    problem(api("POST", "/requeue", json={"kind": "sample.noop"}, **key), 429, "job_quota_exceeded")
    assert api("POST", "/requeue", json={"kind": "sample.noop", "limit": 1}, **key).json["requeued"] == 1
    problem(api("POST", f"/{jobs[1].id}/requeue", **key), 429, "job_quota_exceeded")
    local.configure(job_settings.model_copy(update={"max_queued_jobs": 1}))
    problem(api("POST", f"/{jobs[1].id}/requeue"), 429, "queue_full")
    assert queue.status(jobs[1].id) == "failed"


def test_an_analysis_whose_file_is_gone_keeps_its_error(app: Flask, queue: Queue, api: Any) -> None:
    kept, gone, over = (uuid4() for _ in range(3))
    add = """insert into blobs (id, owner_id, place, state, media_type, expires_at)
        values (%s, %s, 'postgres', 'stored', 'text/csv', now() + %s::interval)"""
    for blob, lasts in ((kept, "1 hour"), (over, "-1 second")):
        rows(queue.url, add, str(blob), str(OWNER), lasts)
    jobs = [failed(queue, kind="analyze.table", params=f'{{"input": "{blob}"}}') for blob in (kept, gone, over)]
    offered = [bool(api("GET", f"/{job.id}").json["links"]["requeue"]) for job in jobs]
    listed = {one["id"]: bool(one["links"]["requeue"]) for one in api("GET", "").json["items"]}
    assert offered == [listed[str(job.id)] for job in jobs] == [True, False, False]
    for job in jobs[1:]:
        refused = api("POST", f"/{job.id}/requeue")
        assert (refused.status_code, refused.json["code"]) == (409, "input_gone")
        assert "send the file again" in refused.json["detail"]
    assert api("POST", "/requeue", json={"kind": "analyze.table"}).json == {"requeued": 1, "left": 0}
    assert [queue.status(job.id) for job in jobs] == ["queued", "failed", "failed"]
    told = "select error->>'message' from jobs where status = 'failed'"
    assert rows(queue.url, told) == [("It failed.",), ("It failed.",)]


def test_an_unknown_kind_is_refused_but_not_one_of_which_nothing_failed(app: Flask, queue: Queue, api: Any) -> None:
    refused = api("POST", "/requeue", json={"kind": "nope"})
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_kind")
    assert api("POST", "/requeue", json={"kind": "sample.noop"}).json == {"requeued": 0, "left": 0}
    failed(queue, kind="sample.of_old")
    assert api("POST", "/requeue", json={"kind": "sample.of_old"}).json == {"requeued": 1, "left": 0}


def test_a_requeued_job_runs(runner: Runner) -> None:
    job_id = make("sample.fail", text="for once")
    assert wait_for(job_id, 30).status == "failed"
    assert requeue(runner.queue, job_id)
    assert wait_for(job_id, 30).status == "failed"
    assert look_at(job_id).attempts == 1


def test_figures_by_kind(app: Flask, queue: Queue, api: Any) -> None:
    failed(queue)
    for _ in range(3):
        queue.enqueue(new_job())
    (claim,) = queue.claim(wish())
    queue.complete(claim, "{}")
    queue.claim(wish())
    (told,) = api("GET", "/stats").json["kinds"]
    counts = {name: told[name] for name in ("kind", "queued", "running", "completed", "failed", "cancelled")}
    assert counts == {"kind": "sample.noop", "queued": 1, "running": 1, "completed": 1, "failed": 1, "cancelled": 0}
    assert told["oldest_ready_seconds"] >= 0
    assert told["p95_seconds"] >= told["p50_seconds"] >= 0
    assert api("GET", "/stats?limit=0").status_code == 422


@pytest.mark.parametrize("limit", [("rate_key", 60.0), ("concurrency_key", None)], ids=["rate", "concurrency"])
def test_a_job_that_was_held_when_it_was_cancelled_is_held_no_longer(queue: Queue, limit: tuple[str, Any]) -> None:
    keys = {limit[0]: "k", limit[0].replace("key", "limit"): 1, "rate_seconds": limit[1]}
    first, second = new_job(**keys), new_job(**keys)
    queue.enqueue_many([first, second])
    (claim,) = queue.claim(wish())
    assert queue.claim(wish()) == []
    assert queue.cancel(second.id) == "cancelled"
    assert queue.complete(claim, "{}")
    rows(queue.url, "update job_rates set starts = '{}', free_at = now()")
    queue.release()
    assert requeue(queue, second.id)
    assert [claim.id for claim in queue.claim(wish())] == [second.id]
