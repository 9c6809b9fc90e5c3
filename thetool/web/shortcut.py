"""Answers a few open GETs in front of Flask: `/health` is asked thousands of times a second by balancers and watchers.

Flask's dispatch costs more than the answer itself (docs/benchmarks.md). The same paths are routes of the application
too, for everything that is not the plain case: other methods, CORS, debug lines, errors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from thetool.config import Settings
from thetool.telemetry.metrics import observe_request
from thetool.web.headers import CACHE, HSTS, ON_DATA
from thetool.web.request_id import HEADER, choose_request_id

Answer = Callable[[], bytes]

_EXTENSION = "thetool_shortcuts"
_requests = logging.getLogger("thetool.request")


class Shortcuts:
    """The WSGI layer; `answers` holds what it answers, by path."""

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        self.answers: dict[str, Answer] = {}
        self._app = app
        self._metrics = settings.metrics_enabled
        self._headers = [("Content-Type", "application/json"), *ON_DATA, (CACHE, "no-store")]
        self._secure_headers = [*self._headers, HSTS] if settings.production else self._headers

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer at once, or hand on to Flask."""
        answer = self.answers.get(environ["PATH_INFO"])
        if (
            answer is None
            or environ["REQUEST_METHOD"] != "GET"
            or "HTTP_ORIGIN" in environ
            or _requests.isEnabledFor(logging.DEBUG)
        ):
            return self._app(environ, start_response)
        began = perf_counter()
        try:
            body = answer()
        except Exception:  # Flask calls it again, and logs and answers the error
            return self._app(environ, start_response)
        fixed = self._secure_headers if environ["wsgi.url_scheme"] == "https" else self._headers
        request_id = choose_request_id(environ.get("HTTP_X_REQUEST_ID"))
        start_response("200 OK", [*fixed, ("Content-Length", str(len(body))), (HEADER, request_id)])
        if self._metrics:
            observe_request("GET", environ["PATH_INFO"], 200, perf_counter() - began)
        return (body,)


def init_app(app: Flask, settings: Settings) -> None:
    """Put the layer in front of the application."""
    shortcuts = Shortcuts(app.wsgi_app, settings)
    app.extensions[_EXTENSION] = shortcuts
    app.wsgi_app = shortcuts  # type: ignore[method-assign]


def answer_early(app: Flask, path: str, answer: Answer) -> None:
    """Answer `GET path` in front of Flask.

    Args:
        app: the application, which has a route for `path` as well.
        path: exact path of an open route that always answers 200 with JSON.
        answer: gives the JSON; runs without an application context, and must be quick.
    """
    cast(Any, app.extensions[_EXTENSION]).answers[path] = answer
