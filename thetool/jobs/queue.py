"""The verbs of the queue, each one statement of queries.sql. Knows no Flask and no settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg2.errors

from thetool.jobs.claiming import Claiming, keys_of, youngest_first
from thetool.jobs.claims import Claim, NewJob, Wish
from thetool.jobs.connection import QueueConnection, Row
from thetool.jobs.failure import Failure
from thetool.jobs.herald import Herald
from thetool.jobs.queries import queries
from thetool.jobs.snapshot import JobSnapshot

WAKE_CHANNEL = "thetool_jobs"
DONE_CHANNEL = "thetool_jobs_done"
CANCEL_CHANNEL = "thetool_jobs_cancel"
PROGRESS_CHANNEL = "thetool_jobs_progress"


class Queue(Claiming):
    """The `jobs` table as a queue, over one connection that all threads of the process share.

    Every method may raise DatabaseUnavailable. `lease` and `keep` are seconds: how long a silent worker keeps its jobs,
    and how long a finished job is kept. `sender` is the worker of this process, which needs no word of what is
    enqueued here.
    """

    def __init__(self, url: str, *, lease: float = 30.0, keep: float = 7 * 86_400.0, name: str = "queue") -> None:
        super().__init__()
        self.url = url
        self.sender = ""
        self.lease = lease
        self.keep = keep
        self.connection = QueueConnection(url, name=name)
        self._herald = Herald(self.notify)

    def enqueue(self, job: NewJob, *, notify: bool = True, cursor: Any = None) -> bool:
        """Add a job; with `cursor`, in that transaction. False when an unfinished job has its `dedupe_key`."""
        query = "enqueue" if job.ordinary else "enqueue_once"
        if cursor is not None:
            # Nobody here knows when that transaction commits, so this process's worker must hear of it too.
            cursor.execute(queries[query].text, {**job.as_parameters(), "notify": notify, "sender": ""})
            return bool(cursor.fetchall())
        tells = notify and self._herald.may_tell(job.queue, job.runs)
        added = False
        try:
            added = bool(self.connection.run(query, {**job.as_parameters(), "notify": tells, "sender": self.sender}))
        except psycopg2.errors.UniqueViolation as error:
            if not is_own_row(error):
                raise
            added = True
        finally:
            if notify and tells != added:  # one that was not added has told nothing, also of what was owed before
                self._herald.owe(job.queue, job.runs)
        return added or self._is_there(job)

    def enqueue_many(self, jobs: Sequence[NewJob], *, cursor: Any = None) -> set[UUID]:
        """Add jobs in one statement, with one word to the workers; with `cursor`, in that transaction.

        Returns:
            Those that were added: not the ones whose `dedupe_key` an unfinished job has.
        """
        if not jobs:
            return set()
        told = orjson.dumps([{**job.as_parameters(), "params": orjson.Fragment(job.params)} for job in jobs]).decode()
        if cursor is not None:
            cursor.execute(queries["enqueue_many"].text, {"jobs": told, "sender": ""})
            return {UUID(str(job_id)) for (job_id,) in cursor.fetchall()}
        added = set()
        try:
            added = {job_id for (job_id,) in self.connection.run("enqueue_many", {"jobs": told, "sender": self.sender})}
        except psycopg2.errors.UniqueViolation as error:
            if not is_own_row(error):
                raise
        return added | {job.id for job in jobs if job.id not in added and self._is_there(job)}

    def enqueue_claimed(self, job: NewJob, wish: Wish) -> Claim | str | None:
        """Add a job that is already claimed, unless another that the worker wishes for is ready: then it is queued.

        So is one with keys: whether they have room is found out when it is claimed.

        Returns:
            The claim; or the status of the job where it was not claimed; or None when its `dedupe_key` is taken.
        """
        if job.keyed:
            return "queued" if self.enqueue(job, notify=False) else None
        token = uuid4()
        parameters = {
            **job.as_parameters(),
            **wish.as_parameters(),
            "token": token,
            "lease": self.lease,
            "sender": self.sender,
        }
        try:
            rows = self.connection.run("enqueue_claimed", parameters)
        except psycopg2.errors.UniqueViolation as error:
            if not is_own_row(error):
                raise
            rows = []
        if not rows:
            own = self.snapshot(job.id)
            if own is None:
                return None
            rows = [(own.status, own.created_at)]
        status, created_at = rows[0][:2]
        if status != "running":
            return str(status)
        return Claim(
            id=job.id,
            kind=job.kind,
            params=job.params,
            owner_id=job.owner_id,
            correlation_id=job.correlation_id,
            attempt=1,
            max_attempts=job.max_attempts,
            timeout=job.timeout,
            token=token,
            created_at=created_at,
            started_at=created_at,
        )

    def renew(self, claims: Iterable[Claim], *, only_free: bool = False) -> dict[UUID, bool]:
        """Keep these claims for another lease; with `only_free`, those that nobody changes at this moment.

        Returns:
            For the token of each claim that still holds, whether somebody asked to cancel the job.
        """
        parameters = {**keys_of(youngest_first(claims)), "lease": self.lease}
        return dict(self.connection.run("renew_free" if only_free else "renew", parameters))

    def asked_to_cancel(self, job_ids: Sequence[UUID]) -> list[UUID]:
        """Which of these running jobs somebody asked to cancel."""
        return [job_id for (job_id,) in self.connection.run("asked_to_cancel", {"ids": list(job_ids)})]

    def progress(self, claim: Claim, fraction: float, stage: str | None, message: str | None) -> bool:
        """Note how far a job is; false when the claim no longer holds."""
        parameters = {**_key(claim), "progress": fraction, "stage": stage, "message": message}
        return bool(self.connection.run("progress", parameters))

    def fail(self, claim: Claim, failure: Failure) -> str | None:
        """Finish a job with an error; gives its status then, or None when the claim no longer holds."""
        return self._status("fail", {**_key(claim), "error": failure.as_json(), "keep": self.keep})

    def retry(self, claim: Claim, failure: Failure, seconds: float) -> str | None:
        """Put a job back for its next attempt; gives its status then, or None when the claim no longer holds."""
        status = self._status("retry", {**_key(claim), "error": failure.as_json(), "seconds": seconds})
        return status or self.finish_cancelled(claim)

    def finish_cancelled(self, claim: Claim) -> str | None:
        """Finish a job that stopped because somebody asked; None when the claim no longer holds."""
        return self._status("finish_cancelled", {**_key(claim), "keep": self.keep})

    def hand_back(self, worker_id: UUID) -> list[UUID]:
        """Put all running jobs of a worker back, with the attempt not used."""
        rows = self.connection.run("hand_back", {"worker_id": worker_id, "keep": self.keep})
        return [job_id for job_id, _ in rows]

    def rescue(self) -> list[Row]:
        """Take back the jobs of silent workers; gives (id, kind, new status, attempts) of each."""
        self.release_stuck()
        rows = self.connection.run("rescue", {"error": LOST.as_json(), "keep": self.keep})
        return [row[:4] for row in rows]

    def cancel(self, job_id: UUID) -> str | None:
        """Cancel a queued job, or ask a running one to stop, and so what it waits for.

        Returns:
            Its status then, or None when it is finished or unknown.
        """
        return self.cancel_all([job_id]).get(job_id)

    def cancel_all(self, job_ids: Sequence[UUID]) -> dict[UUID, str]:
        """Cancel several jobs, or ask their workers, and so their children; gives the status of each one concerned."""
        told: dict[UUID, str] = {}
        more = bool(job_ids)
        while more:
            rows = self.connection.run("cancel_tree", {"ids": list(job_ids), "keep": self.keep})
            told = {job_id: status for job_id, status, *_ in rows} | told
            more = any(has_children for _, _, has_children, _ in rows)
        return told

    def delete(self, job_id: UUID) -> None:
        """Delete a job that is finished; another one stays."""
        self.connection.run("delete", {"id": job_id})

    def snapshot(self, job_id: UUID) -> JobSnapshot | None:
        """The job as it is now."""
        rows = self.connection.run("snapshot", {"id": job_id})
        return JobSnapshot(*rows[0]) if rows else None

    def status(self, job_id: UUID) -> str | None:
        """The job's status."""
        found = self.snapshot(job_id)
        return found.status if found else None

    def notify(self, queue: str, runs: str) -> None:
        """Wake sleeping workers that have slots of this sort for this queue."""
        self.connection.run("notify", {"queue": queue, "runs": runs, "sender": self.sender})

    def heartbeat(
        self,
        worker_id: UUID,
        *,
        host: str,
        pid: int,
        version: str,
        kinds: Sequence[str],
        slots: int,
        running: int,
        draining: bool,
    ) -> None:
        """Say that a worker lives, what it takes and how much it runs."""
        told = {
            "id": worker_id,
            "host": host,
            "pid": pid,
            "version": version,
            "kinds": list(kinds),
            "slots": slots,
            "running": running,
            "draining": draining,
        }
        self.connection.run("heartbeat", told)

    def leave(self, worker_id: UUID) -> None:
        """Remove a worker that ends."""
        self.connection.run("leave", {"id": worker_id})

    def forget_dead_workers(self) -> None:
        """Remove workers that have long been silent."""
        self.connection.run("forget_the_dead", {"lease": self.lease})

    def offered_kinds(self) -> frozenset[str]:
        """The kinds that live workers take."""
        return frozenset(kind for (kind,) in self.connection.run("offered", {"lease": self.lease}))

    def outlook(self) -> list[Row]:
        """Of each queue with unfinished jobs: name; ready, scheduled, running, lost; seconds that the oldest waits."""
        return self.connection.run("outlook")

    def live_workers(self) -> list[dict[str, Any]]:
        """What the live workers said of themselves."""
        names = ("id", "host", "pid", "version", "kinds", "slots", "running", "draining", "started_at", "heartbeat_at")
        return [dict(zip(names, row, strict=True)) for row in self.connection.run("workers", {"lease": self.lease})]

    def find_dedupe(self, dedupe_key: str, *, cursor: Any = None) -> UUID | None:
        """The unfinished job with this `dedupe_key`; with `cursor`, as that transaction sees it."""
        if cursor is None:
            rows = self.connection.run("find_dedupe", {"dedupe_key": dedupe_key})
        else:
            cursor.execute(queries["find_dedupe"].text, {"dedupe_key": dedupe_key})
            rows = cursor.fetchall()
        return UUID(str(rows[0][0])) if rows else None

    def unfinished_of(self, owner_id: UUID, limit: int) -> int:
        """How many unfinished jobs an owner has, counted no further than `limit`."""
        return int(self.connection.run("unfinished_of", {"owner_id": owner_id, "limit": limit})[0][0])

    def depth(self, limit: int) -> int:
        """How many jobs wait, counted no further than `limit`."""
        return int(self.connection.run("depth", {"limit": limit})[0][0])

    def close(self) -> None:
        """Close the connection."""
        self._herald.close()
        self.connection.close()

    def _is_there(self, job: NewJob) -> bool:
        """Whether a job is in the table, by a first try whose answer was lost: its `dedupe_key` is taken by itself."""
        return self.snapshot(job.id) is not None

    def _status(self, query: str, parameters: dict[str, Any]) -> str | None:
        rows = self.connection.run(query, parameters)
        return rows[0][0] if rows else None


LOST = Failure("lost", "The worker that ran this job died or was cut off, as often as the job may be tried.")


def _key(claim: Claim) -> dict[str, Any]:
    return {"id": claim.id, "token": claim.token}


def is_own_row(error: psycopg2.errors.UniqueViolation) -> bool:
    """Ids are made by chance: one that is there already came from this same statement, whose answer was lost."""
    return error.diag.constraint_name == "jobs_pkey"
