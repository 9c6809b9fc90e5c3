"""The list of jobs over HTTP: its pages, its filters, whose jobs are in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.jobs.making import OWNER, STRANGER, new_job, problem
from thetool.jobs.queue import Queue


def test_the_list_by_cursor(app: Flask, queue: Queue, strangers_job: UUID, api: Any) -> None:
    jobs = [new_job() for _ in range(5)]
    for job in jobs:
        queue.enqueue(job)
    seen: list[str] = []
    path = f"?limit=2&owner_id={OWNER}"
    while path:
        answer = api("GET", path).json
        seen += [item["id"] for item in answer["items"]]
        path = answer["next"] and "?" + answer["next"].partition("?")[2]
    assert seen == [str(job.id) for job in reversed(jobs)]
    assert "params" not in api("GET", "").json["items"][0]


def test_the_list_by_pages(app: Flask, queue: Queue, strangers_job: UUID, api: Any) -> None:
    jobs = [new_job() for _ in range(5)]
    for job in jobs:
        queue.enqueue(job)
    page = api("GET", f"?page=2&page_size=2&owner_id={OWNER}").json
    assert (page["page"], page["page_size"], page["total"]) == (2, 2, 5)
    assert [item["id"] for item in page["items"]] == [str(jobs[2].id), str(jobs[1].id)]
    assert api("GET", "?page=9&page_size=2").json["items"] == []


def test_the_list_is_filtered(app: Flask, queue: Queue, api: Any) -> None:
    batch = uuid4()
    jobs = [new_job(), new_job(kind="sample.other"), new_job(batch_id=batch)]
    for job in jobs:
        queue.enqueue(job)
    queue.cancel(jobs[0].id)

    def found(query: str) -> list[str]:
        return [item["id"] for item in api("GET", query).json["items"]]

    ids = [str(job.id) for job in jobs]
    assert found("?status=cancelled") == [ids[0]]
    assert found("?status=pending") == found("?status=queued") == [ids[2], ids[1]]
    assert found("?kind=sample.other") == [ids[1]]
    assert found(f"?batch_id={batch}") == [ids[2]]
    assert found("?page=1&status=queued&kind=sample.noop") == [ids[2]]


@pytest.mark.parametrize(
    "query",
    [
        "status=odd",
        "limit=0",
        "limit=1000",
        "page=0",
        "page_size=101",
        "cursor=WyJrZXlzIiwieCJd",
        "cursor=%00",
        "batch_id=x",
        "other=1",
    ],
)
def test_a_wrong_query_is_refused(app: Flask, api: Any, query: str) -> None:
    problem(api("GET", f"?{query}"), 422, "validation_error")


def test_the_master_sees_all_jobs_and_others_their_own(
    app: Flask, queue: Queue, api: Any, client: FlaskClient, strangers_job: UUID, strangers_key: dict[str, str]
) -> None:
    mine = new_job(title="mine.txt")
    queue.enqueue(mine)

    def found(query: str = "", headers: Any = None) -> list[str]:
        return [item["id"] for item in api("GET", query, headers=headers or {}).json["items"]]

    assert found() == found("?page=1") == [str(mine.id), str(strangers_job)]
    assert found(f"?owner_id={STRANGER}") == [str(strangers_job)]
    assert found(headers=strangers_key) == found("?page=1", strangers_key) == []
    assert found(f"?owner_id={STRANGER}", strangers_key) == found(f"?owner_id={mine.owner_id}", strangers_key) == []
    told = api("GET", f"/{mine.id}").json
    assert (told["title"], told["owner_id"]) == ("mine.txt", str(mine.owner_id))
