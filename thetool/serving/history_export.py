"""A history as CSV (RFC 4180), streamed: as quick for the reader as for the table, and with flat memory.

It is read in pieces by the index that the list has, each in a statement of its own: a reader who is slow holds neither
a connection nor a snapshot, as an open cursor would. What is made meanwhile is newer than the first row, and left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from itertools import chain
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import Engine

from thetool.serving import history
from thetool.serving.prediction_schemas import PredictionsFilter
from thetool.serving.records import Model
from thetool.storage.filenames import clean_filename, content_disposition

MEDIA_TYPE = "text/csv"
ROWS = 500
"""Rows of a piece: with what they keep at most, 16 MiB."""
COLUMNS = (
    "id", "created_at", "model_id", "model_name", "model_version", "status", "rows", "inference_time_ms", "error",
    "request_id", "truncated", "input_data", "output_data",
)  # fmt: skip
# JSON as it was written, which reading it would not give back to the digit.
_READ = f"""p.id, p.created_at, p.model_id, {history.STATUS} as status, p.rows, p.inference_time_ms, p.error,
    p.request_id, p.truncated, cast(p.input_data as text) as input_data, cast(p.output_data as text) as output_data"""
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def answer(engine: Engine, models: Sequence[Model], wanted: PredictionsFilter, *, title: str) -> Response:
    """The answer that is the history of these models, the newest first; `title` names the file."""
    pieces = _pieces(engine, {model.id: (model.name, model.version) for model in models}, wanted)
    first = next(pieces)  # while a problem can still be answered; afterwards the connection breaks off
    response = Response(chain((first,), pieces), content_type=f"{MEDIA_TYPE}; charset=utf-8; header=present")
    name = clean_filename(f"{title} predictions.csv")
    response.headers["Content-Disposition"] = content_disposition("attachment", name)
    return response


def _pieces(engine: Engine, names: Mapping[UUID, tuple[str, str]], wanted: PredictionsFilter) -> Iterator[bytes]:
    head: Sequence[str] | None = COLUMNS
    below: UUID | None = None
    while True:
        statement = history.newest(list(names), wanted, columns=_READ, below=below, limit=ROWS)
        with engine.connect() as connection:
            found = connection.execute(statement).all()
        yield _written(head, (_cells(one, names) for one in found))
        if len(found) < ROWS:
            return
        head, below = None, found[-1].id


def _cells(one: Any, names: Mapping[UUID, tuple[str, str]]) -> list[Any]:
    name, version = names[one.model_id]
    return [
        one.id, one.created_at.astimezone(UTC).isoformat(), one.model_id, as_data(name), version,
        one.status, one.rows, one.inference_time_ms, one.error, as_data(one.request_id),
        "true" if one.truncated else "false", one.input_data, one.output_data,
    ]  # fmt: skip


def as_data(value: str | None) -> str | None:
    """A text that spreadsheets take for a text: one that begins as a formula does gets an apostrophe in front.

    See OWASP, CSV Injection. What is JSON begins with a bracket, and numbers, ids and times are ours.
    """
    return f"'{value}" if value and value.startswith(_FORMULAS) else value


def _written(head: Sequence[str] | None, rows: Iterator[Sequence[Any]]) -> bytes:
    piece = io.StringIO(newline="")
    writer = csv.writer(piece)  # CRLF, and quotes where there is need, as RFC 4180 says
    if head is not None:
        writer.writerow(head)
    writer.writerows(rows)
    return piece.getvalue().encode()
