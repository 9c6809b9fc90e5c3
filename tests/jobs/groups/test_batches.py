from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.jobs.groups.family_jobs import Clan, Leaf
from tests.jobs.making import OWNER, rows, until
from tests.jobs.sample_jobs import Params
from thetool.app import create_app
from thetool.config import Settings
from thetool.jobs.groups.batches import MadeBatch, Wanted, state_of, submit_many
from thetool.jobs.local import local
from thetool.jobs.registry import UnknownKind
from thetool.jobs.runner import Runner
from thetool.jobs.submit import NoWorker, QueueFull, QuotaExceeded
from thetool.web.problems import ValidationFailed


def leaves(*texts: str) -> list[Wanted]:
    return [Wanted("sample.leaf", Leaf(text=text), {"title": f"{text}.txt"}) for text in texts]


def make(*texts: str, **more: Any) -> MadeBatch:
    return submit_many(leaves(*texts), owner_id=OWNER, correlation_id="test-request", **more)


@pytest.fixture
def app(runner: Runner, job_settings: Settings) -> Flask:
    return create_app(job_settings)


@pytest.fixture
def api(client: FlaskClient, master: dict[str, str]) -> Any:
    def send(method: str, path: str, **more: Any) -> Any:
        return client.open(f"/api/v1{path}", method=method, headers={**master, **more.pop("headers", {})}, **more)

    return send


def finished(api: Any, batch: MadeBatch) -> Any:
    return until(lambda: (told := api("GET", f"/batches/{batch.id}").json)["finished_at"] and told, "it is finished")


def test_a_batch_counts_its_jobs_and_tells_what_failed(api: Any) -> None:
    batch = make("a", "b", "fail for this one")
    told = finished(api, batch)
    counts = {name: told[name] for name in ("total", "queued", "running", "completed", "failed", "cancelled")}
    assert counts == {"total": 3, "queued": 0, "running": 0, "completed": 2, "failed": 1, "cancelled": 0}
    assert (told["status"], told["progress"]) == ("partial", 1.0)
    assert told["failures"] == [
        {
            "job_id": str(batch.job_ids[2]),
            "title": "fail for this one.txt",
            "code": "job_failed",
            "message": "ValueError: for this one",
        }
    ]
    listed = api("GET", told["links"]["jobs"].partition("/api/v1")[2]).json["items"]
    assert [(item["id"], item["title"]) for item in reversed(listed)] == [
        (str(job_id), f"{text}.txt")
        for job_id, text in zip(batch.job_ids, ("a", "b", "fail for this one"), strict=True)
    ]


def test_each_way_to_end_has_its_word(api: Any) -> None:
    assert finished(api, make("a"))["status"] == "completed"
    assert finished(api, make("fail x", "fail y"))["status"] == "failed"
    batch = make("sleep 60")
    api("POST", f"/batches/{batch.id}/cancel")
    assert finished(api, batch)["status"] == "cancelled"


def test_cancelling_a_batch_stops_what_runs_and_what_waits(api: Any) -> None:
    batch = make("a", "sleep 60", "sleep 60", "sleep 60", "b")
    waiting = submit_many([Wanted("sample.clan", Clan(members=["c"]))], owner_id=OWNER, batch_id=batch.id)
    assert waiting.id == batch.id
    told = until(
        lambda: (state := api("GET", f"/batches/{batch.id}").json)["running"] == 2 and state["completed"] and state,
        "one is done, two run",
    )
    assert told["status"] == "running"
    assert 0 < told["progress"] < 1
    answer = api("POST", f"/batches/{batch.id}/cancel")
    assert (answer.status_code, answer.json["asked"]) == (202, 5)
    told = finished(api, batch)
    assert (told["status"], told["completed"], told["cancelled"]) == ("partial", 1, 5)
    assert api("POST", f"/batches/{batch.id}/cancel").json["asked"] == 0
    assert "cancel" not in told["links"] or told["links"]["cancel"] is None


def test_a_batch_may_be_made_in_a_transaction_with_others(runner: Runner) -> None:
    with local.queue.connection.transaction() as cursor:
        batch = submit_many([*leaves("a"), Wanted("sample.noop", Params())], owner_id=OWNER, cursor=cursor)
    told = until(lambda: (state := state_of(runner.queue, batch.id, OWNER)) and state.finished_at and state, "finished")
    assert (told.total, told.status) == (2, "completed")
    assert rows(runner.queue.url, "select distinct correlation_id from jobs") == [(None,)]


def test_all_of_a_batch_are_made_or_none(runner: Runner, job_settings: Settings) -> None:
    bad: list[tuple[list[Wanted], dict[str, Any], type[Exception]]] = [
        ([*leaves("a"), Wanted("sample.unknown", Leaf())], {}, UnknownKind),
        ([*leaves("a", "\0")], {}, ValidationFailed),
        ([*leaves("a"), Wanted("sample.leaf", Params())], {}, TypeError),
        ([*leaves("a", "b", "c")], {"job_quota": 2}, QuotaExceeded),
    ]
    for wanted, more, error in bad:
        with pytest.raises(error):
            submit_many(wanted, owner_id=OWNER, **more)
    runner.settings = job_settings.model_copy(update={"max_queued_jobs": 2})
    with pytest.raises(QueueFull):
        make("a", "b", "c")
    assert rows(runner.queue.url, "select count(*) from jobs") == [(0,)]
    assert submit_many([], owner_id=OWNER).job_ids == ()


def test_nobody_to_run_it(here: None) -> None:
    with pytest.raises(NoWorker):
        make("a")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel")])
def test_a_strangers_batch_is_not_there(api: Any, runner: Runner, method: str, path: str) -> None:
    issued = api("POST", "/keys", json={"name": "a stranger", "scopes": ["read", "write"]}).json
    stranger = {"Authorization": f"Bearer {issued['key']}"}
    batch = make("sleep 60")
    assert api(method, f"/batches/{batch.id}{path}", headers=stranger).status_code == 404
    assert api(method, f"/batches/{uuid4()}{path}").status_code == 404
    mine = submit_many(leaves("a"), owner_id=UUID(issued["owner_id"]), batch_id=batch.id)
    assert api("GET", f"/batches/{mine.id}", headers=stranger).json["total"] == 1
    assert api("GET", f"/batches/{mine.id}").json["total"] == 2
    runner.queue.cancel(batch.job_ids[0])


def test_a_key_that_may_only_read_cancels_nothing(api: Any) -> None:
    issued = api("POST", "/keys", json={"name": "a reader", "scopes": ["read"]}).json
    reader = {"Authorization": f"Bearer {issued['key']}"}
    assert api("POST", f"/batches/{make('a').id}/cancel", headers=reader).status_code == 403
