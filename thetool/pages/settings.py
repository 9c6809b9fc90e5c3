"""Who is signed in, and the keys of the service for those who may issue them."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from thetool import __version__
from thetool.access.caller import current_caller
from thetool.pages.layout import blueprint, page, signed_in

SCOPES = (("read", "looks"), ("write", "sends and changes"), ("admin", "issues keys"))


@blueprint.get("/settings")
@signed_in
def settings() -> ResponseReturnValue:
    """The page; its script asks `/api/v1/keys`."""
    return page("settings.html", script="settings.js", caller=current_caller(), version=__version__, scopes=SCOPES)
