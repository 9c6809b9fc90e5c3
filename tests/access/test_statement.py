from __future__ import annotations

from apiflask import APIFlask
from sqlalchemy import event, text

from thetool.access.statement import first_row
from thetool.database.orm import db
from thetool.database.prepared import prepared

ADD = "select %(one)s::int + %(two)s::int, %(one)s::text"


def known() -> tuple[object, ...] | None:
    return first_row("select count(*) from pg_prepared_statements where name = %(name)s", name=prepared(ADD).name)


def test_a_statement_is_planned_once_a_connection(app: APIFlask) -> None:
    with app.app_context():
        assert [first_row(ADD, one=number, two=2) for number in (1, 2)] == [(3, "1"), (4, "2")]
        assert known() == (1,)


def test_a_pooler_that_forgets_prepared_statements_is_noticed(app: APIFlask) -> None:
    with app.app_context():
        first_row(ADD, one=1, two=2)
        db.session.execute(text("deallocate all"))  # as if the next statement met another connection of the pooler's
        db.session.remove()
        assert [first_row(ADD, one=number, two=2) for number in (1, 2)] == [(3, "1"), (4, "2")]
        assert first_row("select count(*) from pg_prepared_statements") == (0,)


def test_a_new_connection_prepares_anew(app: APIFlask) -> None:
    with app.app_context():
        opened: list[object] = []
        event.listen(db.engine, "connect", lambda connection, record: opened.append(connection))
        first_row(ADD, one=1, two=2)
        db.engine.raw_connection().invalidate()  # type: ignore[no-untyped-call]
        assert first_row(ADD, one=2, two=2) == (4, "2")
        assert opened
