"""What all pages share: the blueprint, the rail, and the rule that a page is for people who have signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from thetool.access.sign_in import session_caller
from thetool.pages import assets
from thetool.web.request_id import current_request_id

P = ParamSpec("P")

blueprint = Blueprint("pages", __name__, template_folder="templates")
blueprint.add_url_rule("/static/<version>/<path:name>", "static_file", assets.static_file)
blueprint.add_url_rule("/favicon.ico", "favicon", assets.favicon)


@dataclass(frozen=True)
class Place:
    """One entry of the rail: the page's endpoint, its word and the name of its icon in `icons.svg`."""

    endpoint: str
    word: str
    icon: str


RAIL = (
    Place("pages.analyze", "Analyze", "analyze"),
    Place("pages.restyle", "Restyle", "restyle"),
    Place("pages.models", "Models", "models"),
    Place("pages.jobs", "Jobs", "jobs"),
    Place("pages.settings", "Settings", "settings"),
)


def signed_in(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let `view` run for a signed-in caller; send everybody else to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if session_caller() is None:
            return redirect(url_for("pages.sign_in", next=request.full_path.rstrip("?")), 303)
        return view(*args, **kwargs)

    return guarded


def page(template: str, status: int = 200, **context: object) -> Response:
    """Render the page `template`; browsers ask again each time, because it depends on who is signed in."""
    response = make_response(render_template(f"pages/{template}", **context), status)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Cookie")
    return response


@blueprint.app_context_processor
def _shared() -> dict[str, Any]:
    return {
        "asset_url": assets.asset_url,
        "modules_of": assets.modules_of,
        "current_request_id": current_request_id,
        "rail": RAIL,
        "here": request.endpoint,
    }
