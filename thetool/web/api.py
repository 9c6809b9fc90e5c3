"""create_api(): the application with everything that all rooms share, and no routes but the docs."""

from __future__ import annotations

from typing import Any

import structlog
from apiflask import APIFlask

from thetool.config import Settings
from thetool.web import answers, hooks
from thetool.web.json_provider import OrjsonProvider
from thetool.web.requests import ApiRequest

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
    app = Api("thetool.web", title="TheTool", version="0.1.0", spec_path=None, docs_path=None, static_folder=None)  # type: ignore[arg-type]
    app.config.update(
        THETOOL_SETTINGS=settings,
        PROPAGATE_EXCEPTIONS=False,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_upload_bytes,
    )
    answers.init_app(app)
    hooks.init_app(app, settings)
    return app
