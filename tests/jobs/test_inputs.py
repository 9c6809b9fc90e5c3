"""A handler opens stored files of its job's owner, in a thread and in a child alike."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
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

CONTENT = bytes(range(256)) * 12_000  # three chunks
KINDS = ["sample_inputs.thread", "sample_inputs.child"]


class Params(BaseModel):
    file: UUID


class Result(BaseModel):
    size: int
    right: bool


def _read(context: JobContext, params: Params) -> Result:
    with context.open(params.file) as file:
        content = file.read()
    with TemporaryDirectory(dir=".") as folder:
        copy = Path(folder, "copy")
        context.copy(params.file, copy)
        assert copy.read_bytes() == content
    return Result(size=len(content), right=content == CONTENT)


@job("sample_inputs.thread")
def in_thread(context: JobContext, params: Params) -> Result:
    return _read(context, params)


@job("sample_inputs.child", runs="process")
def in_child(context: JobContext, params: Params) -> Result:
    return _read(context, params)


def run(kind: str, file: UUID, owner: UUID = OWNER) -> JobSnapshot:
    return wait_for(submit(kind, Params(file=file), owner_id=owner).job_id, 60)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_file_is_read(app: Flask, runner: Runner, kind: str) -> None:
    blob = blobs.store(CONTENT, owner_id=OWNER, media_type="application/octet-stream")
    assert run(kind, blob.id).result == {"size": len(CONTENT), "right": True}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_owner_or_none_is_not_found(app: Flask, runner: Runner, kind: str) -> None:
    other = uuid4()
    rows(runner.queue.url, "insert into owners (id, name) values (%s, 'other')", str(other))
    blob = blobs.store(b"secret", owner_id=other, media_type="text/plain")
    for file in (blob.id, uuid4()):
        job = run(kind, file)
        assert job.status == "failed"
        assert job.error
        assert job.error["code"] == "input_gone"
        assert "send it again" in job.error["message"]
