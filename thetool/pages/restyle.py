"""Restyle: a photo of a room goes in, the room in another style comes out."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from thetool.pages.layout import blueprint, page, signed_in
from thetool.restyle.availability import INSTALL, PULL, is_available, missing_here
from thetool.restyle.options import MAX_PROMPT, Quality
from thetool.restyle.presets import PIXELS, STEPS
from thetool.restyle.styles import styles
from thetool.web.current import settings

QUALITIES: dict[Quality, str] = {"fast": "Fast", "balanced": "Balanced", "best": "Best"}
ROOMS = ("living room", "bedroom", "kitchen", "dining room", "bathroom", "home office", "hallway")


@blueprint.get("/restyle")
@signed_in
def restyle() -> ResponseReturnValue:
    """The page; its script sends `POST /transform/submit`."""
    return page(
        "restyle.html",
        script="restyle.js",
        styles=styles(settings()),
        qualities=[(name, words, round(PIXELS[name] ** 0.5), STEPS[name]) for name, words in QUALITIES.items()],
        rooms=ROOMS,
        max_prompt=MAX_PROMPT,
        available=is_available(),
        missing=missing_here(settings()),
        install=INSTALL,
        pull=PULL,
        max_bytes=settings().max_upload_bytes,
    )
