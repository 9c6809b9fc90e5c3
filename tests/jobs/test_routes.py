"""Jobs over HTTP: shown, waited for, cancelled, deleted."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.jobs.making import make, new_job, problem, rows, until
from thetool.app import create_app
from thetool.database.orm import db
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner


def test_a_finished_job_is_shown_whole(running: Runner, api: Any) -> None:
    job_id = make("sample.noop", text="hello")
    answer = api("GET", f"/{job_id}?wait=30")
    assert answer.status_code == 200
    job = answer.json
    assert (job["id"], job["kind"], job["status"], job["progress"]) == (str(job_id), "sample.noop", "completed", 1)
    assert job["params"]["text"] == "hello"
    assert job["result"]["text"] == "hello"
    assert job["error"] is None
    assert job["correlation_id"] == "test-request"
    assert job["attempts"] == 1
    assert job["created_at"].endswith("Z")
    assert job["links"]["self"].endswith(f"/api/v1/jobs/{job_id}")
    assert job["links"]["cancel"] is None
    assert "Retry-After" not in answer.headers


def test_an_unfinished_job_says_when_to_ask_again(running: Runner, api: Any) -> None:
    job_id = make("sample.sleep", seconds=60)
    answer = api("GET", f"/{job_id}?wait=0.1")
    assert (answer.status_code, answer.json["status"], answer.json["result"]) == (200, "running", None)
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["links"]["cancel"].endswith("/cancel")


def test_prefer_outranks_wait(running: Runner, api: Any) -> None:
    job_id = make("sample.sleep", seconds=60)
    assert api("GET", f"/{job_id}?wait=30", headers={"Prefer": "respond-async"}).json["status"] == "running"
    later = threading.Timer(0.3, local.queue.cancel, (job_id,))
    later.start()
    assert api("GET", f"/{job_id}?wait=0", headers={"Prefer": "wait=30"}).json["status"] == "cancelled"
    later.join()


@pytest.mark.parametrize("wait", ["-1", "soon", "nan"])
def test_a_wrong_wait_is_refused(running: Runner, api: Any, wait: str) -> None:
    problem(api("GET", f"/{make('sample.noop')}?wait={wait}"), 422, "validation_error")


def test_a_failed_job_shows_its_error(running: Runner, api: Any) -> None:
    job_id = make("sample.fail", text="broken")
    error = api("GET", f"/{job_id}?wait=30").json["error"]
    assert (error["code"], error["message"]) == ("job_failed", "ValueError: broken")
    assert "Traceback" in error["traceback"]
    (listed,) = api("GET", "?status=failed").json["items"]
    assert listed["error"] == {"code": "job_failed", "message": "ValueError: broken", "traceback": None}


def test_the_result_alone(running: Runner, api: Any) -> None:
    job_id = make("sample.sleep", seconds=0.5, text="slept")
    early = api("GET", f"/{job_id}/result")
    assert early.status_code == 202
    assert (early.json["status"], early.json["message"]) == ("running", "Job is still processing")
    assert early.headers["Retry-After"] == "1"
    late = api("GET", f"/{job_id}/result?wait=30")
    assert late.status_code == 200
    assert (late.json["status"], late.json["result"]["text"]) == ("completed", "slept")
    assert late.json["completed_at"]
    failed = api("GET", f"/{make('sample.fail', text='broken')}/result?wait=30").json
    assert (failed["status"], failed["result"], failed["error_message"]) == ("failed", None, "ValueError: broken")
    assert "Traceback" in failed["error_traceback"]


def test_a_running_job_is_cancelled(running: Runner, api: Any) -> None:
    job_id = make("sample.sleep", seconds=60)
    answer = api("POST", f"/{job_id}/cancel")
    assert answer.status_code == 202
    assert answer.json["cancel_requested_at"]
    assert api("GET", f"/{job_id}?wait=30").json["status"] == "cancelled"
    problem(api("POST", f"/{job_id}/cancel"), 409, "job_finished")


def test_a_waiting_job_is_cancelled_at_once(app: Flask, queue: Queue, api: Any) -> None:
    job = new_job()
    queue.enqueue(job)
    answer = api("POST", f"/{job.id}/cancel")
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")


def test_only_a_finished_job_is_deleted(running: Runner, api: Any) -> None:
    job_id = make("sample.sleep", seconds=60)
    problem(api("DELETE", f"/{job_id}"), 409, "job_unfinished")
    api("POST", f"/{job_id}/cancel")
    api("GET", f"/{job_id}?wait=30")
    assert api("DELETE", f"/{job_id}").status_code == 204
    problem(api("GET", f"/{job_id}"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "?wait=0.1"), ("GET", "/result"), ("POST", "/cancel"), ("DELETE", "")]
)
def test_a_strangers_job_is_not_there(
    strangers_job: UUID, client: FlaskClient, strangers_key: dict[str, str], queue: Queue, method: str, path: str
) -> None:
    problem(client.open(f"/api/v1/jobs/{strangers_job}{path}", method=method, headers=strangers_key), 404, "not_found")
    problem(client.open(f"/api/v1/jobs/{uuid4()}{path}", method=method, headers=strangers_key), 404, "not_found")
    assert queue.status(strangers_job) == "queued"
    assert client.get("/api/v1/jobs", headers=strangers_key).json["items"] == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/x"), ("GET", "/x/result"), ("POST", "/x/cancel"), ("DELETE", "/x")]
)
def test_nothing_without_a_key(app: Flask, client: FlaskClient, method: str, path: str) -> None:
    problem(client.open(f"/api/v1/jobs{path}".replace("x", str(uuid4())), method=method), 401, "unauthenticated")


@pytest.mark.parametrize("job_id", ["x", "1", "00000000-0000-7000-8000-00000000000g"])
def test_what_is_no_id_is_not_there(app: Flask, api: Any, job_id: str) -> None:
    problem(api("GET", f"/{job_id}"), 404, "not_found")


def test_a_waiting_request_holds_no_connection(running: Runner, app: Flask, api: Any) -> None:
    """More requests wait than the pool has connections, and others are still answered."""
    job_id = make("sample.sleep", seconds=2)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(api("GET", f"/{job_id}?wait=30").json["status"]))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    assert api("GET", f"/{job_id}").status_code == 200
    with app.app_context():
        assert db.engine.pool.size() == 3
    for thread in threads:
        thread.join()
    assert answers == ["completed"] * 12


def test_a_finished_job_says_no_more_what_it_is_about_to_do(
    running: Runner, client: FlaskClient, master: dict[str, str], queue: Queue
) -> None:
    job_id = make("sample.steps", seconds=0.6)
    until(lambda: queue.status(job_id) == "completed", "the job ends")
    assert rows(queue.url, "select message is null from jobs where id = %s", str(job_id)) == [(False,)]
    for path in ("", "/result"):
        assert client.get(f"/api/v1/jobs/{job_id}{path}", headers=master).json["message"] is None


def test_health_tells_of_queue_and_workers(
    running: Runner, client: FlaskClient, master: dict[str, str], queue: Queue
) -> None:
    make("sample.sleep", seconds=60)
    queue.enqueue(new_job(queue="gpu"))
    from thetool.jobs import health

    told = health.queue()
    assert (told["running"], told["depth"]) == (1, 1)
    assert told["queues"]["gpu"]["ready"] == 1
    assert told["queues"]["gpu"]["oldest_ready_seconds"] >= 0
    workers = health.workers()
    assert workers["count"] == 1
    assert workers["workers"][0]["pid"] > 0
    answer = client.get("/api/v1/health/workers", headers=master)
    assert answer.status_code == 200
    assert answer.json["count"] == 1


def test_a_database_that_is_away_is_a_problem_of_its_own(app: Flask, api: Any, tmp_path: Any) -> None:
    away = local.settings.model_copy(update={"database_url": f"postgresql://postgres@/none?host={tmp_path}"})
    other = create_app(away)
    answer = other.test_client().get(
        f"/api/v1/jobs/{uuid4()}", headers={"Authorization": "Bearer " + away.master_api_key.get_secret_value()}
    )
    problem(answer, 503, "database_unavailable")
    assert answer.headers["Retry-After"]


def test_a_waiting_parent_says_for_how_many(app: Flask, queue: Queue, api: Any) -> None:
    parent = new_job()
    child = new_job(parent_id=parent.id)
    queue.enqueue_many([parent, child])
    rows(queue.url, "update jobs set run_at = 'infinity', children_left = 1 where id = %s", str(parent.id))
    told = api("GET", f"/{parent.id}").json
    assert (told["status"], told["run_at"], told["children_left"]) == ("queued", None, 1)
    (listed,) = api("GET", f"?parent_id={parent.id}").json["items"]
    assert (listed["id"], listed["parent_id"]) == (str(child.id), str(parent.id))
