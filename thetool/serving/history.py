"""The history of predictions: written together a moment later, so that no prediction waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Engine, func, select, text

from thetool.database.orm import db
from thetool.serving.later import WriteLater
from thetool.serving.prediction_schemas import LatencyOut, LatencyPointOut, PredictionsQuery
from thetool.serving.records import Prediction

MOST_BYTES = 16 * 1024
"""So much JSON of what went in, and of what came out, is kept with a prediction."""
ENTRY_BYTES = 500
"""What an entry takes besides."""

_INSERT = text("insert into predictions select * from json_populate_recordset(null::predictions, cast(:rows as json))")
FIGURES = ("predictions", "cached", "failed", "p50_ms", "p95_ms", "p99_ms")

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
    wanted = select(func.count()).select_from(Prediction).where(Prediction.model_id == model_id)
    if query.failed:
        wanted = wanted.where(Prediction.error.is_not(None))
    return db.session.scalar(wanted) or 0


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
