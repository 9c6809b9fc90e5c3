"""The history of predictions: written together a moment later, so that no prediction waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Engine, select, text

from thetool.database.orm import db
from thetool.serving.later import WriteLater
from thetool.serving.records import Prediction
from thetool.serving.schemas import LatencyOut, LatencyPointOut, PredictionsQuery

MOST_BYTES = 16 * 1024
"""So much JSON of what went in, and of what came out, is kept with a prediction."""

_INSERT = text("insert into predictions select * from json_populate_recordset(null::predictions, cast(:rows as json))")
# What came out of a cache says nothing of the model's speed.
_LATENCY = text(
    """
    select count(*), count(*) filter (where cached), count(*) filter (where error is not null),
        percentile_cont(array[0.5, 0.95, 0.99]) within group (order by inference_time_ms)
            filter (where not cached and error is null)
    from predictions where model_id = :model_id and created_at > now() - make_interval(hours => :hours)
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
        self._later: WriteLater[Entry] = WriteLater("predictions", self._write)

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


def _row(entry: Entry) -> dict[str, Any]:
    row = asdict(entry)
    for name in ("input_data", "output_data"):
        row[name] = None if row[name] is None else orjson.Fragment(row[name])
    return row


def of_model(model_id: UUID, query: PredictionsQuery) -> Sequence[Prediction]:
    """A model's predictions after the cursor, newest first, one more than the page holds."""
    wanted = select(Prediction).where(Prediction.model_id == model_id).order_by(Prediction.id.desc())
    if query.failed:
        wanted = wanted.where(Prediction.error.is_not(None))
    if query.page is not None:
        return db.session.scalars(wanted.limit(query.page_size).offset((query.page - 1) * query.page_size)).all()
    if (after := query.after("predictions", UUID)) is not None:
        wanted = wanted.where(Prediction.id < after)
    return db.session.scalars(wanted.limit(query.limit + 1)).all()


def count_of(model_id: UUID, query: PredictionsQuery) -> int:
    """How many predictions of a model are kept."""
    from sqlalchemy import func

    wanted = select(func.count()).select_from(Prediction).where(Prediction.model_id == model_id)
    if query.failed:
        wanted = wanted.where(Prediction.error.is_not(None))
    return db.session.scalar(wanted) or 0


def latency_of(model_id: UUID, hours: int) -> LatencyOut:
    """How quick a model was in the last hours, in all and along the time."""
    values = {"model_id": model_id, "hours": hours, "step": max(60, hours * 3600 // 100)}
    predictions, cached, failed, times = db.session.execute(_LATENCY, values).one()
    p50, p95, p99 = times or (None, None, None)
    points = [
        LatencyPointOut(begins=begins, predictions=number, p50_ms=(pair or [None])[0], p95_ms=(pair or [None])[-1])
        for begins, number, pair in db.session.execute(_POINTS, values)
    ]
    return LatencyOut(
        model_id=model_id,
        hours=hours,
        predictions=predictions,
        cached=cached,
        failed=failed,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        points=points,
    )
