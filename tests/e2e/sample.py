"""The real application, with kinds of job (`sample_kinds`) and routes to watch it by."""

from __future__ import annotations

import os
import time
from typing import Any

from flask import request

from tests.e2e import sample_kinds
from thetool import callers
from thetool.access.records import MASTER_OWNER_ID
from thetool.app import create_app
from thetool.config import get_settings
from thetool.jobs.events import sse, talk
from thetool.jobs.registry import get_kind
from thetool.jobs.submit import submit

assert sample_kinds

if (get_settings().home / "do-not-boot").exists():
    raise RuntimeError("this application was told not to boot")
while (get_settings().home / "wait-with-the-boot").exists():
    time.sleep(0.05)
if "SAMPLE_IMPATIENT" in os.environ:
    callers.HEAD_SECONDS, callers.SILENT_SECONDS = 1, 2
    sse.HEARTBEAT_SECONDS = talk.PING_SECONDS = 0.2
    talk.SILENT_SECONDS = 1

app = create_app()
_eaten: list[bytes] = []


@app.get("/sample/pid")
def pid() -> dict[str, int]:
    """Who answers."""
    return {"pid": os.getpid()}


@app.get("/sample/slow/<float:seconds>")
def slow(seconds: float) -> dict[str, int]:
    """Take one's time."""
    time.sleep(seconds)
    return {"pid": os.getpid()}


@app.post("/sample/eat/<int:megabytes>")
def eat(megabytes: int) -> dict[str, int]:
    """Keep some memory."""
    _eaten.append(os.urandom(1024) * 1024 * megabytes)
    return {"pid": os.getpid()}


@app.post("/sample/jobs/<verb>")
def make_job(verb: str) -> dict[str, Any]:
    """Make a job of a sample kind."""
    kind = get_kind(f"sample.{verb}")
    made = submit(kind.name, kind.params_model.model_validate(request.get_json()), owner_id=MASTER_OWNER_ID)
    return {"job_id": str(made.job_id)}
