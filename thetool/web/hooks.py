"""What happens before and after every request: one hook each, because every request pays for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import perf_counter

import structlog
from flask import Flask, Response, g, request

from thetool.config import Settings
from thetool.telemetry.logs import bind_only
from thetool.telemetry.metrics import observe_request
from thetool.web.body_limit import enforce, limit_of
from thetool.web.compression import compress
from thetool.web.headers import SecurityHeaders
from thetool.web.request_id import HEADER, choose_request_id
from thetool.web.requests import refuse_nul_in_query

QUIET = (
    "/health",
    "/api/v1/health",
    "/api/v1/live",
    "/api/v1/ready",
    "/metrics",
    "/static/",
    "/favicon.ico",
    "/docs/assets/",
    "/status.json",
)
"""What machines ask, and what a page loads besides itself."""
POLLED = ("/api/v1/jobs", "/api/v1/analyses/")
"""What clients read again and again until a job is finished."""
UNKNOWN_ROUTE = "unknown"
FIRST_ERROR = 400

log = structlog.get_logger("thetool.request")
_logger = logging.getLogger("thetool.request")  # asked first, because a line that is not written must cost nothing


@dataclass(frozen=True)
class _Route:
    """What the hooks need to know of a route and a method, worked out once."""

    template: str
    body_limit: int
    quiet: bool


class Hooks:
    """The hooks of one application."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._headers = SecurityHeaders(settings)
        self._routes: dict[tuple[str, str, str], _Route] = {}

    def begin(self) -> None:
        """Give the request its id, and refuse a body that is too large."""
        g.began = perf_counter()
        g.request_id = request_id = choose_request_id(request.environ.get("HTTP_X_REQUEST_ID"))
        bind_only(request_id=request_id)
        refuse_nul_in_query(request.environ.get("QUERY_STRING", ""))
        if request.url_rule is not None and request.method not in ("GET", "HEAD"):
            enforce(request, self._route().body_limit)

    def end(self, response: Response) -> Response:
        """Give the answer its headers, count it and write the request's line."""
        response.headers.add(HEADER, g.request_id)
        self._headers.add_to(response)
        if self._settings.enable_compression:
            compress(response)
        seconds = perf_counter() - g.began
        route = self._route() if request.url_rule is not None else None
        if self._settings.metrics_enabled:
            template = route.template if route else UNKNOWN_ROUTE
            observe_request(request.method, template, response.status_code, seconds)
        quiet = route is not None and route.quiet and response.status_code < FIRST_ERROR
        level = logging.DEBUG if quiet else logging.INFO
        if _logger.isEnabledFor(level):
            milliseconds = round(seconds * 1000, 2)
            status = response.status_code
            log.log(level, "request", method=request.method, path=request.path, status=status, duration_ms=milliseconds)
        return response

    def forget(self, _: BaseException | None) -> None:
        """Unbind the request's ids: the server may write lines in this thread before the next request begins."""
        bind_only()

    def _route(self) -> _Route:
        endpoint, template = request.endpoint or "", str(request.url_rule)  # a view may have several paths
        key = endpoint, template, request.method
        known = self._routes.get(key)
        if known is None:
            limit = limit_of(self._app.view_functions.get(endpoint), self._settings)
            known = self._routes[key] = _Route(template, limit, _is_quiet(request.method, template))
        return known


def _is_quiet(method: str, template: str) -> bool:
    """Whether an answer without an error is no line of the usual log."""
    return template.startswith(QUIET) or (method == "GET" and template.startswith(POLLED))


def init_app(app: Flask, settings: Settings) -> None:
    """Hook into every request of `app`."""
    hooks = Hooks(app, settings)
    app.before_request(hooks.begin)
    app.after_request(hooks.end)
    app.teardown_request(hooks.forget)
