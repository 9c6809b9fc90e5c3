"""`/docs`: the API tried out in the browser (Swagger UI out of its PyPI wheel), and `/docs/problems`."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from flask import Blueprint, Flask, Response, render_template, request, url_for

from thetool.web import refusal  # noqa: F401  its problems are listed as well
from thetool.web.problems import NotFound, all_problems

ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
KEPT = "public, max-age=31536000, immutable"

blueprint = Blueprint("docs", __name__)


def init_app(app: Flask) -> None:
    """Serve the pages."""
    app.register_blueprint(blueprint)


@blueprint.get("/docs")
def page() -> str:
    """Swagger UI on our document."""
    return render_template("docs.html", asset=_url)


@blueprint.get("/docs/problems")
def problems() -> str:
    """Every kind of problem, each under the address that its `type` gives."""
    explained = [(problem, (problem.__doc__ or "").split("\n\n")[0]) for problem in all_problems()]
    return render_template("problems.html", problems=explained, asset=_url)


@blueprint.get("/docs/assets/<digest>/<name>")
def asset(digest: str, name: str) -> Response:
    """A file of Swagger UI, for a year: its address changes with its content."""
    if name not in ASSETS or digest != _digest():
        raise NotFound
    zipped = name.endswith((".css", ".js")) and request.accept_encodings["gzip"] > 0
    response = Response(_gzipped(name) if zipped else _content(name), mimetype=ASSETS[name])
    response.headers["Cache-Control"] = KEPT
    response.vary.add("Accept-Encoding")
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(digest, weak=True)
    response.make_conditional(request)
    return response


def _url(name: str) -> str:
    return url_for("docs.asset", digest=_digest(), name=name)


@cache
def _digest() -> str:
    return hashlib.sha256(version("flask-swagger-ui").encode()).hexdigest()[:16]


def _content(name: str) -> bytes:
    return (files("flask_swagger_ui") / "dist" / name).read_bytes()


@cache
def _gzipped(name: str) -> bytes:
    """Kept in memory once asked for: half a megabyte, and 60 ms to make."""
    return gzip.compress(_content(name), 6, mtime=0)
