"""create_api(): the application with everything that all rooms share, and no routes but the docs."""

from __future__ import annotations

from typing import Any

import structlog
from apiflask import APIFlask
from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from thetool import __version__
from thetool.config import Settings
from thetool.web import answers, docs, hooks, openapi, shortcut
from thetool.web.csp import csp_nonce
from thetool.web.json_provider import OrjsonProvider
from thetool.web.requests import ApiRequest

EXPOSED_HEADERS = [
    "X-Request-ID",
    "X-Cache",
    "Location",
    "Link",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
]
ALLOWED_HEADERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "X-API-Key",
    "X-Request-ID",
]

log = structlog.get_logger(__name__)


class Api(APIFlask):
    """Flask with our JSON and our reading of requests; every error is answered, none is raised to the server."""

    request_class = ApiRequest
    json_provider_class = OrjsonProvider

    def log_exception(self, exc_info: Any) -> None:
        """Log what nobody expected, with its traceback; a database that is away is one line."""
        problem = answers.problem_of(exc_info[1])
        if problem.status == 503:
            log.warning("database away", error=str(exc_info[1]))
        else:
            log.error("request failed", exc_info=exc_info)


def create_api(settings: Settings) -> APIFlask:
    """Make the application: problems, request ids, headers, CORS, limits, compression, OpenAPI.

    Rooms add their blueprints to it (`thetool.app`). It opens no connection and starts no thread.
    """
    app = Api("thetool.web", title="TheTool", version=__version__, spec_path=None, docs_path=None, static_folder=None)  # type: ignore[arg-type]
    app.config.update(
        THETOOL_SETTINGS=settings,
        PROPAGATE_EXCEPTIONS=False,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_upload_bytes,
    )
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    answers.init_app(app)
    hooks.init_app(app, settings)
    openapi.init_app(app, settings)
    docs.init_app(app)
    shortcut.init_app(app, settings)
    _allow_origins(app, settings)
    _believe_proxies(app, settings)
    return app


def _allow_origins(app: Flask, settings: Settings) -> None:
    """Let pages of `CORS_ORIGINS` call the API with a key; cookies are for our own pages only, so never for them."""
    if settings.cors_origin_list:
        CORS(
            app,
            origins=settings.cors_origin_list,
            send_wildcard=True,
            supports_credentials=False,
            expose_headers=EXPOSED_HEADERS,
            allow_headers=ALLOWED_HEADERS,
            methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            max_age=600,
        )


def _believe_proxies(app: Flask, settings: Settings) -> None:
    """Take the caller's address and scheme from that many proxies; the host is `PUBLIC_URL`'s, never theirs."""
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0)  # type: ignore[method-assign]
