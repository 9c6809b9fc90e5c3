"""`thetool jobs` against the real routes on a real database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import uuid4

import psycopg2
import pytest
from flask import Flask

from tests.cli.conftest import Run, served
from thetool.access.records import MASTER_OWNER_ID
from thetool.database.ids import new_id

INSERT = """
insert into jobs (id, kind, queue, status, progress, stage, message, params, result, error, timeout_s, owner_id)
values (%s, %s, 'cpu', %s, %s, %s, %s, '{}', %s, %s, 60, %s)
"""


@pytest.fixture(autouse=True)
def service(app: Flask, at_service: Callable[[str], None]) -> Iterator[None]:
    with served(app) as url:
        at_service(url)
        yield


@pytest.fixture
def insert(database: str) -> Callable[..., str]:
    def insert(status: str, kind: str = "analyze.text", **values: object) -> str:
        job_id = str(new_id())
        given = (values.get("progress", 0.0), values.get("stage"), values.get("message"))
        stored = tuple(json.dumps(values[name]) if name in values else None for name in ("result", "error"))
        with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(INSERT, (job_id, kind, status, *given, *stored, str(MASTER_OWNER_ID)))
        return job_id

    return insert


def test_list(run: Run, insert: Callable[..., str]) -> None:
    assert run("jobs", "list").stdout == "No jobs.\n"
    waiting = insert("queued")
    running = insert("running", "restyle.run", progress=0.4, stage="generating")
    listed = json.loads(run("jobs", "list", "--json").stdout)
    assert [job["id"] for job in listed] == [running, waiting]
    table = run("jobs", "list").stdout
    for shown in (waiting, running, "restyle.run", "40 %", "generating"):
        assert shown in table
    assert waiting not in run("jobs", "list", "--status", "running").stdout
    assert running not in run("jobs", "list", "--kind", "analyze.text").stdout
    assert len(json.loads(run("jobs", "list", "--limit", "1", "--json").stdout)) == 1


def test_show(run: Run, insert: Callable[..., str]) -> None:
    done = insert("completed", progress=1.0, result={"answer": 42})
    shown = run("jobs", "show", done)
    assert "100 %" in shown.stdout
    assert '"answer": 42' in shown.stdout
    failed = insert("failed", error={"code": "timeout", "message": "It took \x1b[31mtoo long", "traceback": None})
    said = run("jobs", "show", failed).stdout
    assert "too long (timeout)" in said
    assert "\x1b" not in said
    assert json.loads(run("jobs", "show", failed, "--json").stdout)["error"]["code"] == "timeout"


@pytest.mark.parametrize(("status", "label"), [("queued", "last attempt"), ("running", "last attempt")])
def test_an_unfinished_job_shows_the_error_of_its_last_attempt_as_that(
    run: Run, insert: Callable[..., str], status: str, label: str
) -> None:
    job_id = insert(status, error={"code": "timeout", "message": "Too long", "traceback": None})
    said = run("jobs", "show", job_id).stdout
    assert "Too long (timeout)" in next(line for line in said.splitlines() if line.startswith(label))


def test_a_cancelled_job_shows_no_error_of_an_earlier_attempt(run: Run, insert: Callable[..., str]) -> None:
    error = {"code": "timeout", "message": "Too long", "traceback": "Traceback"}
    said = run("jobs", "show", insert("cancelled", error=error)).stdout
    assert "Too long" not in said
    assert "Traceback" not in said


def test_not_there(run: Run) -> None:
    result = run("jobs", "show", str(uuid4()))
    assert result.exit_code == 1
    assert "not_found" in result.stderr
    assert run("jobs", "show", "1").exit_code == 2


def test_cancel(run: Run, insert: Callable[..., str]) -> None:
    waiting, running = insert("queued"), insert("running")
    assert run("jobs", "cancel", waiting).stdout == f"Cancelled {waiting}.\n"
    assert run("jobs", "cancel", running).stdout == f"Asked {running} to stop; it is running.\n"
    assert "cancel requested" in run("jobs", "show", running).stdout
    again = run("jobs", "cancel", waiting)
    assert again.exit_code == 1
    assert "job_finished" in again.stderr


def test_requeue(run: Run, insert: Callable[..., str]) -> None:
    failed, others = insert("failed"), [insert("failed", "sample.kind") for _ in range(2)]
    assert run("jobs", "requeue", failed).stdout == f"Put {failed} back.\n"
    assert json.loads(run("jobs", "show", failed, "--json").stdout)["status"] == "queued"
    again = run("jobs", "requeue", failed)
    assert again.exit_code != 0
    assert "did not fail" in again.stderr
    assert run("jobs", "requeue", "--kind", "sample.kind").stdout == "Put 2 of sample.kind back.\n"
    assert json.loads(run("jobs", "show", others[0], "--json").stdout)["status"] == "queued"
    told = run("jobs", "requeue", "--kind", "analyze.text", "--json").stdout
    assert json.loads(told) == {"requeued": 0, "left": 0}
    unknown = run("jobs", "requeue", "--kind", "nope")
    assert unknown.exit_code != 0
    assert "unknown_kind" in unknown.stderr


@pytest.mark.parametrize("arguments", [(), ("00000000-0000-7000-8000-000000000001", "--kind", "a.b")])
def test_requeue_wants_one_or_the_other(run: Run, arguments: tuple[str, ...]) -> None:
    refused = run("jobs", "requeue", *arguments)
    assert refused.exit_code == 2
    assert "--kind" in refused.stderr


def test_stats(run: Run, insert: Callable[..., str]) -> None:
    assert run("jobs", "stats").stdout == "No jobs.\n"
    for status in ("queued", "failed", "failed", "completed"):
        insert(status)
    insert("queued", "restyle.run")
    counted = json.loads(run("jobs", "stats", "--json").stdout)
    assert [(one["kind"], one["queued"], one["failed"], one["completed"]) for one in counted] == [
        ("analyze.text", 1, 2, 1),
        ("restyle.run", 1, 0, 0),
    ]
    shown = run("jobs", "stats").stdout
    assert "analyze.text" in shown
    assert re.split(r"\s{2,}", shown.splitlines()[0])[-3:] == ["median", "95th percentile", "longest wait"]
