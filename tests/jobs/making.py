"""Jobs to test with, and patience."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in lower case

from tests.jobs import sample_jobs
from thetool.access.records import MASTER_OWNER_ID
from thetool.database.ids import new_id
from thetool.jobs.claims import Claim, NewJob, Wish
from thetool.jobs.idempotency import Idempotency
from thetool.jobs.queue import Queue
from thetool.jobs.submit import Submission, submit
from thetool.web.problems import MEDIA_TYPE

OWNER = MASTER_OWNER_ID
WORKER = uuid4()
STRANGER = UUID("00000000-0000-7000-8000-000000000009")
T = TypeVar("T")


def new_job(**changes: Any) -> NewJob:
    values: dict[str, Any] = {
        "id": new_id(),
        "kind": "sample.noop",
        "queue": "cpu",
        "runs": "thread",
        "params": "{}",
        "owner_id": OWNER,
        "timeout": 60.0,
        "max_attempts": 3,
    }
    return NewJob(**{**values, **changes})


def wish(
    worker: UUID | None = None, kind: str = "sample.noop", queue: str = "cpu", runs: str = "thread", limit: int = 1
) -> Wish:
    """What a worker takes: one kind, which is quick."""
    return Wish(worker or uuid4(), queue, runs, (kind,), (kind,), limit)


def put(queue: Queue, /, **changes: Any) -> UUID:
    """Enqueue a job; gives its id."""
    job = new_job(**changes)
    assert queue.enqueue(job)
    return job.id


def take(queue: Queue, worker: UUID = WORKER) -> Claim:
    """Claim the one job that comes first."""
    (claim,) = queue.claim(wish(worker))
    return claim


def expire(queue: Queue, job_id: UUID) -> None:
    """Let the lease of a job have ended."""
    rows(queue.url, "update jobs set lease_expires_at = now() - interval '1 second' where id = %s", str(job_id))


def make(kind: str, /, *, timeout: float | None = None, **params: Any) -> Any:
    """Submit a sample job; gives its id."""
    asked = sample_jobs.Params(**params)
    return submit(kind, asked, owner_id=OWNER, correlation_id="test-request", timeout=timeout).job_id


def ask(text: str = "", **options: Any) -> Submission:
    """Submit a job that does nothing."""
    return submit("sample.noop", sample_jobs.Params(text=text), owner_id=OWNER, **options)


def idempotency(key: str, request: str = "the same") -> Idempotency:
    """The key of a request of the master's."""
    return Idempotency(OWNER, key, hashlib.sha256(request.encode()).digest())


def until(get: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Ask until the answer is true; gives the answer."""
    deadline = time.monotonic() + seconds
    while not (answer := get()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.02)
    return answer


_asking: dict[str, Connection] = {}  # the last database that was asked: a connection costs more than most statements


def rows(url: str, statement: str, *values: Any) -> list[Any]:
    """What a statement gives, in a transaction of its own."""
    connection = _asking.get(url)
    if connection is None:
        for old in _asking.values():
            old.close()
        _asking.clear()
        connection = _asking[url] = psycopg2.connect(url)
        connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []
    except psycopg2.OperationalError:  # a restart of Postgres, say
        _asking.pop(url).close()
        raise


def lives(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def problem(answer: Any, status: int, code: str) -> None:
    """Check that the answer is this problem."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == MEDIA_TYPE
    assert answer.json["code"] == code
