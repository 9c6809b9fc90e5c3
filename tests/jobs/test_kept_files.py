"""Files that a job keeps: they are its owner's, and count against what the owner may keep."""

from __future__ import annotations

import time
from uuid import UUID, uuid4

import pytest
from flask import Flask
from pydantic import BaseModel

from tests.jobs.making import OWNER, rows
from thetool.jobs.context import JobContext
from thetool.jobs.registry import job
from thetool.jobs.runner import Runner
from thetool.jobs.snapshot import JobSnapshot
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for
from thetool.storage import blobs


class Params(BaseModel):
    size: int


class Result(BaseModel):
    file: UUID


@job("sample_kept.thread", max_attempts=1)
def in_thread(context: JobContext, params: Params) -> Result:
    return Result(file=context.store(b"x" * params.size, media_type="text/plain"))


@job("sample_kept.child", runs="process", max_attempts=1)
def in_child(context: JobContext, params: Params) -> Result:
    return in_thread(context, params)


@job("sample_kept.many", runs="process", disk_mb=5, max_attempts=1)
def in_child_one_by_one(context: JobContext, params: Params) -> Result:
    """Stores more than its folder may hold, but never at a time; then the worker has time to look."""
    for _ in range(3):
        stored = context.store(b"x" * params.size, media_type="text/plain")
    time.sleep(1)
    return Result(file=stored)


def test_what_is_stored_takes_no_room_in_the_childs_folder(app: Flask, runner: Runner) -> None:
    ended = wait_for(submit("sample_kept.many", Params(size=3 * 2**20), owner_id=OWNER).job_id, 60)
    assert ended.status == "completed", ended.error


@pytest.mark.parametrize("kind", ["sample_kept.thread", "sample_kept.child"])
def test_a_jobs_files_count_against_its_owners_quota(app: Flask, runner: Runner, kind: str) -> None:
    owner = uuid4()
    rows(runner.queue.url, "insert into owners (id, name) values (%s, 'small')", str(owner))
    rows(
        runner.queue.url,
        "insert into api_keys (id, owner_id, name, key_hash, key_prefix, scopes, storage_quota_bytes)"
        " values (%s, %s, 'small', %s, 'tt_small', array['write'], 1000)",
        str(uuid4()),
        str(owner),
        b"small",
    )

    def run(size: int) -> JobSnapshot:
        return wait_for(submit(kind, Params(size=size), owner_id=owner).job_id, 60)

    first = run(800)
    assert first.status == "completed", first.error
    assert first.result
    assert blobs.get(UUID(first.result["file"])).owner_id == owner
    second = run(300)
    assert second.status == "failed"
    assert second.error
    assert "200 are left" in second.error["message"]
    assert rows(runner.queue.url, "select sum(size)::int from blobs where owner_id = %s", str(owner)) == [(800,)]
