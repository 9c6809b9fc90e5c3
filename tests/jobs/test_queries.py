from __future__ import annotations

import re
from contextlib import closing

import psycopg2

from thetool.jobs.queries import queries, texts


def test_each_query_has_a_name_and_a_purpose() -> None:
    text = "\n".join(texts())
    headings = re.findall(r"^-- (\w+): .{10,}$", text, re.MULTILINE)
    assert headings == list(queries)
    assert len(set(headings)) == len(headings) > 20


def test_each_query_can_be_prepared(database: str) -> None:
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        for query in queries.values():
            cursor.execute(query.prepare)
        cursor.execute("select count(*) from pg_prepared_statements")
        assert cursor.fetchone() == (len(queries),)


def test_parameters_are_numbered_once() -> None:
    query = queries["enqueue_claimed"]
    assert query.execute.count("%(queue)s") == 1
    assert "%(" not in query.prepare


def test_all_time_is_the_databases_own() -> None:
    """A job's lease must not depend on whether the machines' clocks agree."""
    text = "\n".join(texts())
    assert not re.search(r"%\(now\)s|localtime|current_timestamp", text)
