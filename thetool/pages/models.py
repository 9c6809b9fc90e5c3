"""The models that people serve: the list with sending one, and the page of each."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from thetool.pages.layout import blueprint, page, signed_in
from thetool.serving.schemas import Status
from thetool.web.current import settings


@blueprint.get("/models")
@signed_in
def models() -> ResponseReturnValue:
    """The list's page; its script asks `/api/v1/models` with the filters of the address."""
    return page(
        "models.html",
        script="models.js",
        statuses=get_args(Status),
        chosen=request.args,
        max_bytes=settings().max_model_size_bytes,
    )


@blueprint.get("/models/<uuid:model_id>")
@signed_in
def model(model_id: UUID) -> ResponseReturnValue:
    """The page of one version; its script asks `/api/v1/models/{id}`, which also decides who may see it."""
    days = settings().prediction_retention_days
    return page("model.html", script="model.js", model_id=model_id, here="pages.models", kept_days=days)
