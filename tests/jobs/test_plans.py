"""Plans are made once a connection, when the table may be quite another than it is later."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest

from tests.jobs.making import OWNER, rows
from thetool.jobs.connection import PLAN_ONCE
from thetool.jobs.queries import queries

STRANGER = UUID("00000000-0000-7000-8000-000000000009")
CLAIM = {"id": uuid4(), "token": uuid4()}
CLAIMS = {"ids": f"{{{CLAIM['id']}}}", "tokens": f"{{{CLAIM['token']}}}"}
RESULTS = {"results": ["{}"], "notify": [False], "keep": 60.0}
STATEMENTS: dict[str, dict[str, Any]] = {
    "renew": {**CLAIMS, "lease": 30.0},
    "renew_free": {**CLAIMS, "lease": 30.0},
    "complete": {**CLAIMS, **RESULTS},
    "complete_and_claim": {
        **CLAIMS,
        **RESULTS,
        **{"worker_id": uuid4(), "queue": "cpu", "runs": "thread", "kinds": ["a"], "quick": ["a"]},
        **{"limit": 9, "lease": 30.0},
    },
    "completed_of": CLAIMS,
    "fail": {**CLAIM, "error": "{}", "keep": 60.0},
    "retry": {**CLAIM, "error": "{}", "seconds": 1.0},
    "finish_cancelled": {**CLAIM, "keep": 60.0},
    "give_back": {**CLAIMS, "keep": 60.0},
    "progress": {**CLAIM, "progress": 0.5, "stage": None, "message": None},
    "keep_file": {**CLAIM, "blob_id": uuid4()},
    "suspend": CLAIM,
    "await_children": {"id": CLAIM["id"]},
    "cancel_tree": {"ids": [CLAIM["id"]], "keep": 60.0},
    "delete": {"id": CLAIM["id"]},
}


def fill(database: str) -> None:
    """Five thousand finished jobs."""
    rows(
        database,
        "insert into jobs (id, kind, queue, runs, params, owner_id, timeout_s, status)"
        " select gen_random_uuid(), 'a', 'cpu', 'thread', '{}', %s, 60, 'completed' from generate_series(1, 5000);"
        " analyze jobs",
        str(OWNER),
    )


def plan_of(database: str, name: str, values: dict[str, Any], explain: str = "explain") -> str:
    """How Postgres means to do a prepared statement."""
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(PLAN_ONCE)
        cursor.execute(queries[name].prepare)
        cursor.execute(f"{explain} {queries[name].execute}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("name", STATEMENTS)
def test_jobs_are_found_by_their_ids_also_when_few_ran_as_it_was_planned(database: str, name: str) -> None:
    """Not by way of all that run: that is cheap while these are few, and no snapshot keeps those that ran before."""
    fill(database)
    plan = plan_of(database, name, STATEMENTS[name])
    assert "jobs_lease" not in plan
    assert "jobs_pkey" in plan
    assert "Seq Scan on jobs" not in plan


@pytest.mark.parametrize(
    ("name", "owner", "at_most"),
    [("unfinished_of", OWNER, 0), ("kind_figures", STRANGER, 0), ("kind_figures", None, 9)],
)
def test_what_is_asked_of_one_owner_reads_no_finished_jobs_of_years(
    database: str, name: str, owner: UUID | None, at_most: int
) -> None:
    fill(database)
    plan = plan_of(database, name, {"owner_id": owner, "limit": 9}, "explain (analyze, buffers off, timing off)")
    assert "Rows Removed" not in plan
    assert max(int(float(found)) for found in re.findall(r"on jobs.*rows=([\d.]+) loops", plan) or ["0"]) <= at_most
