"""`GET /api/v1/jobs/{id}/events`, in one process; tests/e2e/test_live.py has it over real connections."""

from __future__ import annotations

from typing import Any

from tests.jobs.making import make, new_job, rows, until
from thetool.jobs.groups.requeue import requeue
from thetool.jobs.local import local
from thetool.jobs.queue import PROGRESS_CHANNEL, Queue
from thetool.jobs.runner import Runner

STAGES = ["reading", "thinking", "writing", "checking"]


def told(events: Any, kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


def test_a_job_from_its_snapshot_to_its_end(running: Runner, listen: Any) -> None:
    job_id = make("sample.steps", seconds=0.3)
    stream = listen(job_id)
    events = list(stream)
    assert events[0]["event"] == "snapshot"
    assert events[0]["data"]["id"] == str(job_id)
    assert events[0]["data"]["kind"] == "sample.steps"
    assert events[0]["data"]["status"] in {"queued", "running"}
    last = events[-1]
    assert (last["event"], last["data"]["status"], last["data"]["progress"]) == ("completed", "completed", 1)
    assert last["data"]["links"]["result"].endswith(f"/api/v1/jobs/{job_id}/result")
    assert last["data"]["links"]["self"].endswith(f"/api/v1/jobs/{job_id}")
    assert last["data"]["links"]["files"] == []
    assert last["data"]["finished_at"].endswith("Z")
    stages = [event["data"]["stage"] for event in (events[0], *told(events, "progress"))]
    assert [stage for stage in stages if stage] == STAGES, "what the snapshot has is not told again"
    numbers = [int(event["id"]) for event in told(events, "progress")]
    assert numbers == sorted(set(numbers))
    assert stream.retries == [2000]
    assert local.streams.count == 0


def test_what_was_missed_is_told_again(running: Runner, listen: Any) -> None:
    job_id = make("sample.steps", seconds=0.3)
    all_of_it = list(listen(job_id, "?after=0"))
    steps = told(all_of_it, "progress")
    assert [event["data"]["stage"] for event in steps] == STAGES
    later = list(listen(job_id, **{"Last-Event-ID": steps[1]["id"]}))
    assert [event["event"] for event in later] == ["snapshot", "progress", "progress", "completed"]
    assert later[0]["id"] == steps[1]["id"]
    assert later[1:] == all_of_it[-3:]


def test_a_listener_that_wants_no_history_gets_none(running: Runner, listen: Any) -> None:
    job_id = make("sample.steps", seconds=0.3)
    list(listen(job_id))
    assert [event["event"] for event in listen(job_id)] == ["snapshot", "completed"]


def test_who_has_the_end_is_told_not_to_come_back(running: Runner, listen: Any, client: Any, master: Any) -> None:
    job_id = make("sample.noop")
    end = list(listen(job_id))[-1]["id"]
    assert "-end-" in end
    answer = client.get(f"/api/v1/jobs/{job_id}/events", headers={**master, "Last-Event-ID": end})
    assert (answer.status_code, answer.data) == (204, b"")


def test_who_has_an_earlier_end_is_told_the_next_one(
    queue: Queue, running: Runner, listen: Any, client: Any, master: Any
) -> None:
    """A job that was put back runs again; it may be over, and have said nothing, before its listener comes back."""
    job_id = make("sample.fail", text="first")
    first = list(listen(job_id))[-1]
    assert requeue(queue, job_id)
    until(lambda: queue.status(job_id) == "failed", "it has failed again")
    again = list(listen(job_id, **{"Last-Event-ID": first["id"]}))
    assert [event["event"] for event in again] == ["snapshot", "failed"]
    assert again[-1]["data"]["finished_at"] > first["data"]["finished_at"]
    answer = client.get(f"/api/v1/jobs/{job_id}/events", headers={**master, "Last-Event-ID": again[-1]["id"]})
    assert answer.status_code == 204


def test_a_beginning_is_told_at_once_though_the_job_says_nothing(running: Runner, listen: Any) -> None:
    """Else a listener would find it by looking, up to a second later."""
    said: list[str | None] = []
    running._listener.subscribe(PROGRESS_CHANNEL, said.append)
    quick = make("sample.noop")
    list(listen(quick))
    silent = make("sample.sleep", seconds=60)
    until(lambda: str(silent) in said, "it is said")
    assert local.queue.status(silent) == "running"
    local.queue.cancel(silent)
    list(listen(silent))
    assert said.count(str(silent)) == 1
    assert str(quick) not in said, "of a quick job, its end tells"


def test_the_end_is_told_with_its_reason(running: Runner, listen: Any) -> None:
    failed = list(listen(make("sample.fail", text="broken")))[-1]
    assert failed["event"] == "failed"
    assert failed["data"]["error"] == {"code": "job_failed", "message": "ValueError: broken"}
    job_id = make("sample.sleep", seconds=60)
    stream = iter(listen(job_id))
    next(stream)
    local.queue.cancel(job_id)
    assert list(stream)[-1]["event"] == "cancelled"


def test_a_wish_to_cancel_is_told(queue: Queue, running: Runner, listen: Any) -> None:
    job_id = make("sample.deaf", seconds=2)
    stream = iter(listen(job_id))
    assert next(stream)["data"]["cancel_requested_at"] is None
    local.queue.cancel(job_id)
    changes = [event for event in stream if event["event"] == "status"]
    assert changes[-1]["data"]["cancel_requested_at"]


def test_the_life_cycle_is_told(running: Runner, listen: Any) -> None:
    blockers = [make("sample.sleep", seconds=60) for _ in range(2)]
    job_id = make("sample.sleep", seconds=1.5, text="behind")
    stream = iter(listen(job_id))
    events = [next(stream)]
    for blocker in blockers:
        local.queue.cancel(blocker)
    events += list(stream)
    assert [(event["event"], event["data"]["status"]) for event in events] == [
        ("snapshot", "queued"),
        ("status", "running"),
        ("completed", "completed"),
    ]


def test_a_job_that_is_deleted_ends_the_stream(queue: Queue, running: Runner, listen: Any) -> None:
    job = new_job(kind="elsewhere.deleted")
    queue.enqueue(job)
    stream = iter(listen(job.id))
    next(stream)
    rows(queue.url, "delete from jobs where id = %s", str(job.id))
    (last,) = list(stream)
    assert (last["event"], last["data"]["code"], last["data"]["status"]) == ("problem", "not_found", 404)


def test_the_answer_is_not_held_up_on_its_way(running: Runner, listen: Any) -> None:
    answer = listen(make("sample.noop"), **{"Accept-Encoding": "gzip"}).answer
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert "Content-Encoding" not in answer.headers
    assert "Content-Length" not in answer.headers
    assert answer.headers["X-Request-ID"]


def test_head_opens_nothing(running: Runner, client: Any, master: Any) -> None:
    job_id = make("sample.sleep", seconds=60)
    answer = client.head(f"/api/v1/jobs/{job_id}/events", headers=master)
    assert (answer.status_code, answer.mimetype, local.streams.count) == (200, "text/event-stream", 0)


def test_hundreds_of_events_are_replayed_page_by_page(queue: Queue, running: Runner, listen: Any) -> None:
    job = new_job(kind="elsewhere.long")
    queue.enqueue(job)
    said = "select %s, n::text, n / 2000.0 from generate_series(1, 1200) as n"
    rows(queue.url, f"insert into job_events (job_id, stage, progress) {said}", str(job.id))
    queue.cancel(job.id)
    events = list(listen(job.id, "?after=0"))
    assert [event["data"]["stage"] for event in events[1:-1]] == [str(number) for number in range(1, 1201)]
    assert events[-1]["event"] == "cancelled"


def test_an_event_from_elsewhere_is_no_gap(queue: Queue, running: Runner, listen: Any) -> None:
    """An id above all of this job's events, as after a restored backup, must not hide what follows."""
    job_id = make("sample.steps", seconds=0.4)
    events = list(listen(job_id, "?after=999999999999"))
    assert told(events, "progress")[-1]["data"]["stage"] == "checking"
