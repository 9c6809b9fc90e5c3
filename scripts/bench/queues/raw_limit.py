"""The limit: what psycopg2 reaches on the `jobs` table with two bare prepared statements, claim and complete.

`raw_limit.py SIZE` runs until nothing is queued, SIZE jobs at a time, and prints how many it did.
"""

from __future__ import annotations

import os
import sys

import psycopg2

CLAIM = """
prepare claim as
with ready as materialized (
    select id from jobs where status = 'queued' and not held and queue = 'cpu' and runs = 'thread' and run_at <= now()
    order by rank, id limit $1 for update skip locked
)
update jobs set status = 'running', started_at = now(), claim_token = gen_random_uuid()
from ready where jobs.id = ready.id
returning jobs.id, params::text
"""
COMPLETE = """
prepare complete as
update jobs set status = 'completed', result = '{}', finished_at = now() where id = any($1::uuid[])
"""


def main() -> None:
    size, done = int(sys.argv[1]), 0
    connection = psycopg2.connect(os.environ["BENCH_DSN"])
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("set plan_cache_mode = force_generic_plan; set enable_seqscan = off")
    cursor.execute(CLAIM)
    cursor.execute(COMPLETE)
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        cursor.execute("execute claim (%s)", (size,))
        claimed = [row[0] for row in cursor.fetchall()]
        if not claimed:
            break
        cursor.execute("execute complete (%s)", ("{" + ",".join(claimed) + "}",))
        done += len(claimed)
    print(done, flush=True)


main()
