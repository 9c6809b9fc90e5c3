"""The rooms up to storage with a route that takes uploads, for tests that need a small application or a real server."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from apiflask import APIFlask

from thetool.access import routes as access_routes
from thetool.access import setup
from thetool.access.caller import needs
from thetool.config import Settings, load_settings
from thetool.database import connection
from thetool.storage import routes
from thetool.storage.upload import store_body
from thetool.web.api import create_api
from thetool.web.body_limit import limit_body

UPLOAD_LIMIT = 200 << 20


def build(settings: Settings) -> APIFlask:
    app = create_api(settings)
    connection.init_app(app, settings)
    setup.init_app(app, settings)
    app.register_blueprint(access_routes.blueprint)
    app.register_blueprint(routes.blueprint)

    @app.post("/upload")
    @needs("write")
    @limit_body(UPLOAD_LIMIT)
    def upload() -> dict[str, Any]:
        blob = store_body(filename="upload.bin")
        return {"id": str(blob.id), "size": blob.size, "sha256": blob.sha256}

    @app.post("/small-upload")
    @needs("write")
    @limit_body(1000)
    def small_upload() -> dict[str, Any]:
        return {"size": store_body().size}

    @app.post("/memory")
    def memory() -> dict[str, int]:
        """Bytes in use now, and at most since the last call; starts the count anew."""
        status = Path("/proc/self/status").read_text()
        found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status))
        Path("/proc/self/clear_refs").write_text("5")
        return {"pid": os.getpid(), "now": int(found["VmRSS"]) << 10, "peak": int(found["VmHWM"]) << 10}

    return app


def from_environment() -> APIFlask:
    """For a server: `gunicorn "tests.storage.upload_app:from_environment()"`."""
    return build(load_settings())
