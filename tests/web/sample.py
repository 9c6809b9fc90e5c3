"""An application with nothing but the web room and views that go wrong in every way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
from apiflask import APIFlask, abort
from flask import Response, g, render_template_string, request
from pydantic import BaseModel, Field
from werkzeug.exceptions import ImATeapot

from thetool.config import Settings
from thetool.telemetry.logs import configure_logging
from thetool.web.api import create_api
from thetool.web.body_limit import limit_body
from thetool.web.openapi import raises
from thetool.web.pagination import PageQuery, page_of
from thetool.web.preferences import wait_seconds
from thetool.web.problems import Conflict, NotFound, Problem, TooManyRequests
from thetool.web.request_id import current_request_id
from thetool.web.schemas import Input

SECRET = "the-password-is-hunter2"


class Order(Input):
    """An input model."""

    name: str = Field(min_length=1, description="What it is called.")
    count: int = Field(1, ge=1)


class Placed(BaseModel):
    """An output model."""

    name: str
    count: int


class Items(BaseModel):
    """A page of numbers."""

    items: list[int]
    next: str | None


class QueueFull(Problem):
    """Too much waits already."""

    status = 429
    code = "queue_full"
    title = "Too much waits already"


def build(**settings: Any) -> APIFlask:
    configured = Settings(MAX_UPLOAD_BYTES=20_000, MASTER_API_KEY="m" * 40, **settings)
    configure_logging(configured)
    app = create_api(configured)

    @app.post("/orders")
    @app.input(Order)
    @app.output(Placed, status_code=201)
    @raises(Conflict, QueueFull, TooManyRequests)
    def place(json_data: Order) -> Order:
        """Place an order.

        It is placed at once.
        """
        return json_data

    @app.get("/items")
    @app.input(PageQuery, location="query", arg_name="query")
    @app.output(Items)
    def items(query: PageQuery) -> Any:
        after = query.after("items", int)
        rows = [number for number in range(100, 0, -1) if after is None or number < after]
        page = page_of("items", rows[: query.limit + 1], query, position=lambda row: row)
        return {"items": page.items, "next": page.next}

    @app.get("/others")
    @app.input(PageQuery, location="query", arg_name="query")
    def others(query: PageQuery) -> Any:
        return {"after": query.after("others", int)}

    @app.get("/items/<uuid:item_id>")
    @raises(NotFound)
    def item(item_id: str) -> Any:
        raise NotFound(f"There is no item {item_id}.")

    @app.post("/form")
    def form() -> Any:
        return {"fields": request.form.to_dict(), "files": list(request.files)}

    @app.post("/size")
    def size() -> Any:
        return {"bytes": len(request.get_data())}

    @app.post("/large")
    @limit_body(lambda settings: settings.max_upload_bytes * 10)
    @app.output({})
    def large() -> Any:
        return {"bytes": len(request.get_data())}

    @app.post("/large-form")
    @limit_body(1_000_000)
    def large_form() -> Any:
        return {"fields": len(request.form)}

    @app.post("/unread")
    def unread() -> Any:
        return {"read": False}

    @app.get("/wrong/<kind>")
    def wrong(kind: str) -> Any:
        raise ERRORS[kind]

    @app.get("/aborted/<int:status>")
    def aborted(status: int) -> Any:
        abort(status, "said so")

    @app.get("/text/<int:length>")
    def text(length: int) -> Any:
        return {"text": "x" * length}

    @app.get("/older-name")
    @app.get("/newer-name")
    def several_paths() -> Any:
        return {}

    @app.get("/tagged")
    def tagged() -> Any:
        response = Response("x" * 5000, mimetype="text/plain")
        response.set_etag("abc")
        return response.make_conditional(request)

    @app.get("/stream")
    def stream() -> Any:
        def lines() -> Iterator[str]:
            for _ in range(100):
                yield "x" * 100

        return Response(lines(), mimetype="text/plain")

    @app.get("/page")
    def page() -> Any:
        return render_template_string("<script nonce='{{ csp_nonce() }}'>1</script>")

    @app.get("/plain-page")
    def plain_page() -> Any:
        return "<p>no script</p>"

    @app.get("/own-policy")
    def own_policy() -> Any:
        return Response("x", headers={"Content-Security-Policy": "sandbox", "Cache-Control": "private, max-age=5"})

    @app.get("/who")
    def who() -> Any:
        return {"id": current_request_id(), "address": request.remote_addr, "scheme": request.scheme, "g": g.request_id}

    @app.post("/wait")
    def wait() -> Any:
        return {"seconds": wait_seconds(10)}

    return app


ERRORS: dict[str, Exception] = {
    "unexpected": RuntimeError(SECRET),
    "database": psycopg2.OperationalError("connection refused"),
    "statement": psycopg2.errors.SyntaxError(SECRET),
    "own": QueueFull("10 wait", headers={"Retry-After": "3"}, depth=10, status="no", code="no"),
    "teapot": ImATeapot(),
    "recursion": RecursionError(),
    "memory": MemoryError(),
}
