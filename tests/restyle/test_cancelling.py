"""A restyling is cancelled: at every stage, within a step, and nothing of it stays."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.analyze.house import House
from tests.restyle.rooms import finished, restyled, state, submit, until
from thetool.jobs.context import JobContext
from thetool.jobs.schedules.cleanup import cleanup
from thetool.restyle.keeping import Keeper
from thetool.restyle.telling import Telling

pytestmark = pytest.mark.torch
QUICK = {"quality": "fast", "steps": "2", "seed": "7"}


def test_a_cancelled_job_stops_within_a_step(
    restyler: House, photo: bytes, slowly: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its fourth step it is cancelled, by the API, and told so before the step ends: a fifth is never begun."""
    progress = JobContext.progress

    def cancelled(context: JobContext, *told: Any) -> None:
        if len(slowly) == 4 and context.interruption is None:
            answer = restyler.client.delete(f"/transform/{context.job_id}", headers=restyler.master)
            assert answer.json == {"success": True, "message": "Job cancelled successfully"}
            until(lambda: context.interruption)
        progress(context, *told)

    with monkeypatch.context() as patch:
        patch.setattr(JobContext, "progress", cancelled)
        job_id = submit(restyler, photo, quality="fast", steps="60", seed="2").json["job_id"]
        data = finished(restyler, job_id, status="cancelled")
    assert (data["error"], data["message"]) == (None, "Cancelled by you.")
    again = restyler.client.delete(f"/transform/{job_id}", headers=restyler.master)
    assert (again.status_code, again.json["code"]) == (409, "job_finished")
    restyled(restyler, photo, **QUICK)  # who paints next waits for the device: by then the first has left it
    assert slowly == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("stage", ["analyzing", "generating", "transforming", "finalizing"])
def test_a_job_is_cancelled_at_every_stage(
    restyler: House, photo: bytes, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for when the stage begins, by the API."""
    say, asked = Telling.say, threading.Event()

    def said(self: Telling, fraction: float, now: str, message: str) -> None:
        if now == stage and not asked.is_set():
            asked.set()
            restyler.client.delete(f"/transform/{self._context.job_id}", headers=restyler.master)
        say(self, fraction, now, message)

    monkeypatch.setattr(Telling, "say", said)
    job_id = submit(restyler, photo, **QUICK).json["job_id"]
    data = finished(restyler, job_id, status="cancelled")
    assert asked.is_set()
    assert data["result"] is None
    assert restyler.rows("select count(*) from restyle_previews where job_id = %s", job_id) == [(0,)]


def test_a_waiting_job_is_cancelled_at_once(restyler: House, photo: bytes, slowly: list[int]) -> None:
    first = [submit(restyler, photo, quality="fast", steps="30", seed="3").json["job_id"] for _ in range(5)]
    waiting = until(lambda: [job for job in first if state(restyler, job)["status"] == "queued"])[-1]
    restyler.client.delete(f"/transform/{waiting}", headers=restyler.master)
    assert finished(restyler, waiting, status="cancelled")["progress"] == 0
    for job in first:
        restyler.client.delete(f"/transform/{job}", headers=restyler.master)
        until(lambda job=job: state(restyler, job)["status"] in ("cancelled", "completed"))


def test_files_of_a_cancelled_job_go_with_the_next_cleanup(
    restyler: House, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled when its maps are stored, and its pictures are not; the photo stays, as it was sent to stay."""
    pictures = Keeper.pictures

    def cancelled(self: Keeper, made: Any, **how: Any) -> Any:
        restyler.client.delete(f"/transform/{self._context.job_id}", headers=restyler.master)
        until(lambda: self._context.interruption)
        return pictures(self, made, **how)

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "pictures", cancelled)
        job_id = submit(restyler, photo, **QUICK).json["job_id"]
        finished(restyler, job_id, status="cancelled")
    other = restyled(restyler, photo, **QUICK)["job_id"]
    files = "select count(*) from job_files join blobs on blobs.id = blob_id where job_id = %s"
    assert [restyler.rows(files, job)[0][0] for job in (job_id, other)] == [3, 5]
    done = cleanup(restyler.settings)
    assert (done.failed, done.complete) == ({}, True)
    assert [restyler.rows(files, job)[0][0] for job in (job_id, other)] == [0, 5]
    kept = "select count(*) from blobs join jobs on blobs.id = (params ->> 'input')::uuid where jobs.id = %s"
    assert restyler.rows(kept, job_id) == [(1,)]
