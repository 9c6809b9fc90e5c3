"""The stylesheet, the scripts, the icons, a few photos and tables, each under an address that changes when any does.

The digest is a folder of the address (`/static/<digest>/js/dom.js`) and not a query, because ES modules import each
other by relative paths: a query would be lost on the second module, and an old one could be kept for a year.

`site.css` is the files of `css/` one after the other: parts to work on, one request and one address for browsers.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from flask import Response, request, url_for

from thetool.web.problems import NotFound

FOLDER = Path(__file__).parent / "static"
SHARED = ("base", "layout", "controls", "surfaces")
STYLES = (
    *SHARED,
    "analyze",
    "findings",
    "photos",
    "tables",
    "market",
    "restyle",
    "many",
    "jobs",
    "settings",
    "models",
    "modes",
)  # in this order
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".csv": "text/csv",
}
KEPT = "public, max-age=31536000, immutable"
_imports = re.compile(r"""^(?:import|export)\b[^;'"]*["']\./(\w+\.js)["']""", re.MULTILINE).findall


@cache
def files() -> dict[str, bytes]:
    """All static files by their paths, such as `js/dom.js`; about 250 KB, so they stay in memory."""
    paths = sorted(path for path in FOLDER.rglob("*") if path.suffix in TYPES)
    found = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
    styles = [found.pop(f"css/{name}.css") for name in STYLES]
    return {**found, "site.css": b"\n".join(styles)}


@cache
def digest() -> str:
    """Sixteen hexadecimal digits of the names and contents of all static files."""
    total = hashlib.sha256()
    for name, content in files().items():
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:16]


def asset_url(name: str) -> str:
    """The address of the static file `name`, such as `site.css`, that may be kept for a year."""
    return url_for("pages.static_file", version=digest(), name=name)


@cache
def modules_of(script: str) -> tuple[str, ...]:
    """`script`, a file under `js/`, and all that it imports, so that a browser can ask for them at once."""
    found: dict[str, None] = {}
    waiting = [script]
    while waiting:
        name = f"js/{waiting.pop()}"
        if name not in found:
            found[name] = None
            waiting += _imports(files()[name].decode())
    return tuple(found)


def favicon() -> Response:
    """Serve the icon at the address where browsers look when a page names none, such as a JSON answer."""
    response = static_file(digest(), "icon.svg")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def static_file(version: str, name: str) -> Response:
    """Serve a static file: for a year under today's digest, to be asked for again under any other."""
    content = files().get(name)
    if content is None:
        raise NotFound
    response = Response(content, mimetype=TYPES[Path(name).suffix])
    # another digest is a page from before a deploy, served by a worker from after it, or the reverse
    response.headers["Cache-Control"] = KEPT if version == digest() else "no-cache"
    response.set_etag(digest(), weak=True)
    response.make_conditional(request)
    return response
