"""What the OpenAPI document says of `POST /analyze`, which takes several media types."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from thetool.analyze.options import ContentIn, Options
from thetool.analyze.schemas import AnalysisOut, BatchOut, PendingOut
from thetool.jobs.repeats import PARAMETER
from thetool.jobs.webhooks import documentation as webhooks

_OPTIONS = Options.model_json_schema(ref_template="#/components/schemas/{model}")["properties"]
_AS_JSON = ("labels", "columns", "category_weights", "market_columns")
"""Options that are JSON in a query."""
_EXAMPLE = "I love this sofa, but the delivery was late."


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _form(files: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {**files, **_OPTIONS}, "additionalProperties": False}


_FILE = {"type": "string", "format": "binary", "description": "A file: a text, an image or a table."}
_FILES = {"type": "array", "items": _FILE, "description": "Several files: a batch, with one result for each."}
_TEXT = {"type": "string", "description": "A text, in place of files."}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _ref(ContentIn),
            "examples": {
                "plain": {"summary": "All analyses", "value": {"text": _EXAMPLE}},
                "a photo": {"summary": "A photo at a URL", "value": {"url": "https://example.com/photo.jpg"}},
                "rows": {
                    "summary": "A small table",
                    "value": {"records": [{"city": "Bonn", "people": 336_000}, {"city": "Ulm", "people": 129_000}]},
                },
                "own topics": {
                    "summary": "Some of them, with topics of your own",
                    "value": {"text": _EXAMPLE, "tasks": ["sentiment", "topics"], "labels": ["praise", "delivery"]},
                },
            },
        },
        "text/plain": {"schema": {"type": "string"}, "example": _EXAMPLE},
        "multipart/form-data": {"schema": _form({"file": _FILE, "files": _FILES, "text": _TEXT})},
        "application/x-www-form-urlencoded": {"schema": _form({"text": _TEXT})},
        "text/csv": {"schema": {"type": "string"}, "example": "city,people\nBonn,336000\nUlm,129000\n"},
        "image/*": {"schema": {"type": "string", "format": "binary"}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}
_HEADERS = [
    {
        "name": "Prefer",
        "in": "header",
        "description": "`wait=N` waits up to N seconds, `respond-async` not at all (RFC 7240); outranks `wait`.",
        "schema": {"type": "string"},
        "example": "wait=30",
    },
    PARAMETER,
]
_QUERY = [
    {
        "name": name,
        "in": "query",
        "schema": schema,
        "description": schema.get("description", ""),
        "style": "form",
        "explode": False,
    }
    for name, schema in _OPTIONS.items()
    if name not in _AS_JSON
]
_QUERY += [
    {"name": name, "in": "query", "schema": {"type": "string"}, "description": _OPTIONS[name]["description"]}
    for name in _AS_JSON
]
_X_CACHE = {"X-Cache": {"description": "`HIT` or `MISS`.", "schema": {"type": "string", "enum": ["HIT", "MISS"]}}}

OPERATION: dict[str, Any] = {
    "parameters": [*_QUERY, *_HEADERS],
    "requestBody": _BODY,
    "callbacks": webhooks.CALLBACKS,
    "responses": {
        "200": {
            "description": "The analysis; for several files, what became of each.",
            "headers": _X_CACHE,
            "content": {"application/json": {"schema": {"anyOf": [_ref(AnalysisOut), _ref(BatchOut)]}}},
        },
        "202": {
            "description": "Not finished within the wait; `Location` is the job.",
            "headers": {
                "Location": {"schema": {"type": "string"}},
                "Retry-After": {"schema": {"type": "integer"}},
            },
            "content": {"application/json": {"schema": {"anyOf": [_ref(PendingOut), _ref(BatchOut)]}}},
        },
    },
}
MODELS = (ContentIn, AnalysisOut, PendingOut, BatchOut, *webhooks.MODELS)
