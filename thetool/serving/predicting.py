"""One prediction from checked inputs to outputs: the cache, the model's session, the run, the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from thetool.database.ids import new_id
from thetool.jobs.payload import clean
from thetool.serving.cache import Kept, key_of
from thetool.serving.history import MOST_BYTES, Entry
from thetool.serving.lookup import Served
from thetool.serving.problems import ModelNotReady
from thetool.serving.runtime.checking import Feeds, rows_of
from thetool.serving.runtime.inspection import Found
from thetool.serving.runtime.nested import to_json_value
from thetool.serving.state import Serving
from thetool.telemetry.metrics import observe_prediction
from thetool.web.json_provider import to_json
from thetool.web.problems import Problem

JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
MOST_ID_CHARACTERS = 100
MOST_SHOWN_NUMBERS = 4096
"""Inputs and outputs of more numbers are left out of the history without being written as JSON first."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a model. `input_json`: the inputs as they were sent, where that was JSON and short."""

    model: Served
    feeds: Feeds
    skip_cache: bool = False
    request_id: str | None = None
    input_json: bytes | None = None


@dataclass(frozen=True)
class Predicted:
    """A prediction: the outputs by name, how long the run took, and how many requests shared it."""

    outputs: dict[str, Any]
    milliseconds: float
    cached: bool
    rows: int | None
    together: int = 1
    id: UUID = field(default_factory=new_id)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def require_ready(model: Served) -> Found:
    """What is known of a model that may be asked.

    Raises:
        ModelNotReady: it may not.
    """
    if model.status != "ready" or model.found is None:
        why = f": {model.error_message}" if model.error_message else "."
        raise ModelNotReady(
            f"The model {model.name!r} {model.version} is {model.status}, not ready{why}", model_status=model.status
        )
    return model.found


def predict(of: Serving, asked: Asked) -> Predicted:
    """Ask a model.

    Raises:
        ModelNotReady, ModelTooLarge: it cannot be asked.
        PredictionFailed, PredictionTimedOut, PredictionsBusy: the run did not end well; that is in the history, too.
        NotFound, BlobLost, StorageUnavailable: its file cannot be had.
    """
    found = require_ready(asked.model)
    try:
        predicted = _predicted(of, asked, found)
    except Problem as problem:
        of.history.add(_entry(asked, None, problem.code))
        observe_prediction(problem.code, None)
        raise
    of.history.add(_entry(asked, predicted, None))
    if predicted.cached:
        observe_prediction("cached", None)
    else:
        observe_prediction("made", predicted.milliseconds / 1000)
    return predicted


def _predicted(of: Serving, asked: Asked, found: Found) -> Predicted:
    model, rows = asked.model, rows_of(asked.feeds)
    names = [spec.name for spec in found.output_schema]
    caches = found.deterministic and of.cache.enabled
    key = key_of(model, asked.feeds) if caches else b""
    if caches and not asked.skip_cache:
        kept = of.cache.find(key, usual_ms=of.usual_ms(model))
        if kept is not None:
            return Predicted(dict(zip(names, kept.outputs, strict=True)), kept.milliseconds, True, rows)
    session = of.session(model, found)
    ran = of.engine.run(session, asked.feeds, timeout=of.settings.predict_timeout_seconds, batching=model.batching)
    of.note_ms(model, ran.milliseconds)
    if caches:
        of.cache.keep(key, model.id, Kept(ran.outputs, ran.milliseconds))
    return Predicted(dict(zip(names, ran.outputs, strict=True)), ran.milliseconds, False, rows, ran.together)


def outputs_json(outputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs as `orjson` writes them with `JSON_OPTIONS`."""
    return {name: to_json_value(output) for name, output in outputs.items()}


def write_json(value: Any) -> bytes:
    """JSON of an answer that may hold arrays."""
    return orjson.dumps(value, _plain, JSON_OPTIONS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def _plain(value: Any) -> Any:
    return orjson.loads(to_json(value))


def _entry(asked: Asked, predicted: Predicted | None, error: str | None) -> Entry:
    came = _storable(asked.input_json if asked.input_json is not None else _short_json(asked.feeds))
    went = None if predicted is None else _storable(_short_json(predicted.outputs))
    return Entry(
        id=predicted.id if predicted else new_id(),
        owner_id=asked.model.owner_id,
        model_id=asked.model.id,
        input_data=came,
        output_data=went,
        truncated=came is None or (predicted is not None and went is None),
        rows=predicted.rows if predicted else rows_of(asked.feeds),
        inference_time_ms=predicted.milliseconds if predicted else None,
        cached=predicted.cached if predicted else False,
        error=error,
        request_id=None if asked.request_id is None else clean(asked.request_id, MOST_ID_CHARACTERS),
        created_at=predicted.created_at if predicted else datetime.now(UTC),
    )


def _short_json(values: dict[str, Any]) -> bytes | None:
    """The arrays as JSON, unless that would be long."""
    if sum(getattr(value, "size", 1) for value in values.values()) > MOST_SHOWN_NUMBERS:
        return None
    return orjson.dumps(outputs_json(values), option=JSON_OPTIONS)


def _storable(written: bytes | None) -> bytes | None:
    """JSON as the history keeps it; None where it is long, or has a NUL, which Postgres does not take."""
    return None if written is None or len(written) > MOST_BYTES or b"\\u0000" in written else written
