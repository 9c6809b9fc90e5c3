"""Restyle: a photo of a room goes in, the room in another style comes out."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from thetool.pages.layout import blueprint, page, signed_in
from thetool.restyle.options import MAX_PROMPT, Quality
from thetool.restyle.presets import PIXELS, STEPS
from thetool.restyle.styles import styles
from thetool.restyle.submission import HOW_TO, is_available
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
        how_to=None if is_available() else HOW_TO,
        max_bytes=settings().max_upload_bytes,
    )
