"""What happens before and after every request: one hook each, because every request pays for them."""

from __future__ import annotations

from flask import Flask, Response, g, request

from thetool.config import Settings
from thetool.web.request_id import HEADER, choose_request_id, current_request_id


def init_app(app: Flask, settings: Settings) -> None:
    """Give every request its id, and every answer its headers."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.request_id = choose_request_id(request.environ.get("HTTP_X_REQUEST_ID"))


def _end(response: Response) -> Response:
    response.headers[HEADER] = current_request_id()
    return response
