"""Problems as pages, for people who follow a link or send a form; programs and our own scripts get the document."""

from __future__ import annotations

from flask import Response, request

from thetool.pages.layout import blueprint, page
from thetool.web.problems import MEDIA_TYPE


@blueprint.after_app_request
def show_problem(response: Response) -> Response:
    """Turn a problem into a page when a browser is about to show it as one."""
    if response.mimetype != MEDIA_TYPE or not _is_shown():
        return response
    shown = page("problem.html", response.status_code, problem=response.get_json())
    response.set_data(shown.get_data())
    response.mimetype = "text/html"
    return response


def _is_shown() -> bool:
    """`Sec-Fetch-Dest` says so where a browser sends it; else the order of `Accept` does."""
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None:
        return destination == "document"
    return request.accept_mimetypes.best == "text/html"
