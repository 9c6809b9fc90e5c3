"""Housekeeping is nobody's job: neither in the lists of those whose work it is not, nor in their way."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.jobs.making import new_job, rows
from thetool.access.records import MASTER_OWNER_ID
from thetool.jobs.queue import Queue


def test_it_does_not_count_as_depth_nor_against_a_quota(queue: Queue) -> None:
    queue.enqueue(new_job())
    for _ in range(3):
        queue.enqueue(new_job(kind="system.cleanup", runs="network"))
    assert queue.depth(100) == 1
    assert queue.unfinished_of(MASTER_OWNER_ID, 100) == 1


def test_lists_show_it_only_to_those_who_ask_for_it(client: FlaskClient, master: dict[str, str], database: str) -> None:
    for kind in ("analyze.text", "system.cleanup"):
        rows(
            database,
            "insert into jobs (id, kind, queue, params, timeout_s, owner_id) "
            "values (gen_random_uuid(), %s, 'cpu', '{}', 1, %s)",
            kind,
            str(MASTER_OWNER_ID),
        )

    def listed(query: str) -> list[str]:
        return [job["kind"] for job in client.get(f"/api/v1/jobs{query}", headers=master).json["items"]]

    assert listed("") == listed("?page=1") == listed("?status=queued") == ["analyze.text"]
    assert listed("?kind=system.cleanup") == ["system.cleanup"]
