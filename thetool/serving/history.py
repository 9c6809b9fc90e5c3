"""The history of predictions: written together a moment later, so that no prediction waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Engine, TextClause, select, text

from thetool.database.ids import first_id_at
from thetool.database.orm import db
from thetool.serving.later import WriteLater
from thetool.serving.prediction_schemas import LatencyOut, LatencyPointOut, PredictionsFilter, PredictionsQuery
from thetool.serving.records import Prediction

MOST_BYTES = 16 * 1024
"""So much JSON of what went in, and of what came out, is kept with a prediction."""
ENTRY_BYTES = 500
"""What an entry takes besides."""

_INSERT = text("insert into predictions select * from json_populate_recordset(null::predictions, cast(:rows as json))")
FIGURES = ("predictions", "cached", "failed", "p50_ms", "p95_ms", "p99_ms")

STATUS = "case when p.error is not null then 'failed' when p.cached then 'cached' else 'made' end"
"""What a prediction `p` counts as, in SQL: `PredictionStatus`."""

# By the index of each model, however many versions it has and rows they have.
_NEWEST = """
    select {columns} from unnest(cast(:model_ids as uuid[])) as model (id) cross join lateral (
        select * from predictions p where p.model_id = model.id{conditions} order by p.id desc limit :most
    ) p order by p.id desc limit :limit offset :offset
"""
_COUNT = "select count(*) from predictions p where p.model_id = any(:model_ids)"
# An id has the time, too, and there is an index on it: no more rows are read than are wanted. A clock that was set back
# lets the two differ.
_CLOCKS = timedelta(minutes=1)

# What came out of a cache says nothing of the model's speed.
_LATENCY = text(
    """
    select model_id, count(*), count(*) filter (where cached), count(*) filter (where error is not null),
        percentile_cont(array[0.5, 0.95, 0.99]) within group (order by inference_time_ms)
            filter (where not cached and error is null)
    from predictions where model_id = any(:model_ids) and created_at > now() - make_interval(hours => :hours)
    group by model_id
    """
)
_POINTS = text(
    """
    select date_bin(make_interval(secs => :step), created_at, timestamptz '2000-01-01') as begins, count(*),
        percentile_cont(array[0.5, 0.95]) within group (order by inference_time_ms)
            filter (where not cached and error is null)
    from predictions where model_id = :model_id and created_at > now() - make_interval(hours => :hours)
    group by 1 order by 1
    """
)


@dataclass(slots=True)
class Entry:
    """One prediction, as it is written. `input_data` and `output_data` are JSON, where they are short enough."""

    id: UUID
    owner_id: UUID
    model_id: UUID
    input_data: bytes | None
    output_data: bytes | None
    truncated: bool
    rows: int | None
    inference_time_ms: float | None
    cached: bool
    error: str | None
    request_id: str | None
    created_at: datetime


class History:
    """Writes the history of one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._later: WriteLater[Entry] = WriteLater("predictions", self._write, _size)

    def add(self, entry: Entry) -> None:
        """Let a prediction be written."""
        self._later.add(entry)

    def flush(self) -> None:
        """Write now what waits."""
        self._later.flush()

    def _write(self, entries: list[Entry]) -> None:
        rows = orjson.dumps([_row(entry) for entry in entries]).decode()
        with self._engine.begin() as connection:
            connection.execute(_INSERT, {"rows": rows})


def _size(entry: Entry) -> int:
    return ENTRY_BYTES + len(entry.input_data or b"") + len(entry.output_data or b"")


def _row(entry: Entry) -> dict[str, Any]:
    row = asdict(entry)
    for name in ("input_data", "output_data"):
        row[name] = None if row[name] is None else orjson.Fragment(row[name])
    return row


def newest(
    model_ids: Sequence[UUID],
    wanted: PredictionsFilter,
    *,
    columns: str = "p.*",
    below: UUID | None = None,
    limit: int,
    offset: int = 0,
) -> TextClause:
    """The statement that gives at most `limit` predictions of these models, the newest first.

    Args:
        model_ids, wanted: of which models, and which of theirs.
        columns: what of `predictions p` is wanted, as SQL.
        below: only those with ids less than it, as `id` sorts by time.
        limit, offset: how many, after how many.
    """
    conditions, values = _conditions(wanted)
    if below is not None:
        conditions.append("p.id < :below")
        values["below"] = below
    statement = _NEWEST.format(columns=columns, conditions="".join(f" and {one}" for one in conditions))
    limits = {"limit": limit, "offset": offset, "most": limit + offset}
    return text(statement).bindparams(model_ids=list(model_ids), **limits, **values)


def listed(model_ids: Sequence[UUID], query: PredictionsQuery) -> Sequence[Prediction]:
    """The predictions of a page, newest first; with a cursor one more than the page holds."""
    if query.page is not None:
        offset = (query.page - 1) * query.page_size
        statement = newest(model_ids, query, limit=query.page_size, offset=offset)
    else:
        statement = newest(model_ids, query, below=query.after("predictions", UUID), limit=query.limit + 1)
    return db.session.scalars(select(Prediction).from_statement(statement)).all()


def count_of(model_ids: Sequence[UUID], wanted: PredictionsFilter) -> int:
    """How many predictions of these models are kept."""
    conditions, values = _conditions(wanted)
    statement = _COUNT + "".join(f" and {one}" for one in conditions)
    return db.session.scalar(text(statement), {"model_ids": list(model_ids), **values}) or 0


def _conditions(wanted: PredictionsFilter) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if wanted.status is not None:
        conditions.append(f"{STATUS} = :status")
        values["status"] = wanted.status
    if wanted.since is not None:
        conditions.append("p.created_at >= :since and p.id >= :first_id")
        values |= {"since": wanted.since, "first_id": first_id_at(wanted.since - _CLOCKS)}
    if wanted.until is not None:
        conditions.append("p.created_at < :until and p.id < :last_id")
        values |= {"until": wanted.until, "last_id": first_id_at(wanted.until + _CLOCKS)}
    return conditions, values


def latency_of(model_id: UUID, hours: int) -> LatencyOut:
    """How quick a model was in the last hours, in all and along the time."""
    values = {"model_id": model_id, "hours": hours, "step": max(60, hours * 3600 // 100)}
    points = [
        LatencyPointOut(begins=begins, predictions=number, p50_ms=(pair or [None])[0], p95_ms=(pair or [None])[-1])
        for begins, number, pair in db.session.execute(_POINTS, values)
    ]
    figures = latencies_of([model_id], hours)[model_id]
    return LatencyOut(model_id=model_id, hours=hours, points=points, **figures)


def latencies_of(model_ids: list[UUID], hours: int) -> dict[UUID, dict[str, Any]]:
    """The figures of each of these models in the last hours."""
    found = {
        model_id: (number, cached, failed, *(times or (None,) * 3))
        for model_id, number, cached, failed, times in db.session.execute(
            _LATENCY, {"model_ids": model_ids, "hours": hours}
        )
    }
    nothing = (0, 0, 0, None, None, None)
    return {one: dict(zip(FIGURES, found.get(one, nothing), strict=True)) for one in model_ids}
