"""`/files/<id>`: a file, for its owner or for whoever has a signed link."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Flask, Response, request
from flask.blueprints import BlueprintSetupState

from thetool.access.caller import current_caller, needs, require_scope
from thetool.access.policy import require
from thetool.storage.blobs import Blob, delete, get
from thetool.storage.download import answer_with
from thetool.storage.links import require_signature
from thetool.storage.state import init_app

blueprint = APIBlueprint("files", __name__, tag="Files")


@blueprint.record_once
def _prepare(setup: BlueprintSetupState) -> None:
    """An application that has these routes has a storage."""
    init_app(cast(Flask, setup.app), setup.app.config["THETOOL_SETTINGS"])


@blueprint.get("/files/<uuid:blob_id>")
@blueprint.doc(summary="Download a file", security=["BearerAuth", "ApiKeyAuth"])
def download(blob_id: UUID) -> Response:
    """With a signed link (`expires` and `signature` in the query), or with a key of the file's owner.

    One `Range` is honoured (206); `ETag` is the SHA-256 of the content.
    """
    return answer_with(_readable(blob_id), request)


@blueprint.delete("/files/<uuid:blob_id>")
@needs("write")
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Delete a file")
def remove(blob_id: UUID) -> tuple[str, int]:
    """The file is gone at once, and its room is free."""
    require(current_caller(), "delete", get(blob_id))
    delete(blob_id)
    return "", 204


def _readable(blob_id: UUID) -> Blob:
    expires, signature = request.args.get("expires"), request.args.get("signature")
    if expires is not None or signature is not None:
        require_signature(blob_id, expires or "", signature or "")
        return get(blob_id)
    caller = current_caller()
    require_scope(caller, "read")
    return require(caller, "read", get(blob_id))
