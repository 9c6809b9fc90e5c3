"""`/files/<id>`: a file, for its owner or for whoever has a signed link."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Flask, Response, request
from flask.blueprints import BlueprintSetupState

from thetool.access.caller import InvalidKey, Unauthenticated, current_caller, needs, require_scope
from thetool.access.policy import require
from thetool.storage.blobs import Blob, delete, get
from thetool.storage.download import answer_with
from thetool.storage.links import require_signature
from thetool.storage.problems import BlobLost, LinkExpired, RangeNotSatisfiable, StorageUnavailable
from thetool.storage.state import init_app
from thetool.web.openapi import raises
from thetool.web.problems import Forbidden, NotFound

_CONTENT = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
_DOWNLOADS: dict[int, Any] = {
    200: {"description": "The file.", **_CONTENT},
    206: {"description": "The part of it that `Range` asked for.", **_CONTENT},
    304: {"description": "It is still the content that `If-None-Match` names."},
}

blueprint = APIBlueprint("files", __name__, tag="Files")


@blueprint.record_once
def _prepare(setup: BlueprintSetupState) -> None:
    """An application that has these routes has a storage."""
    init_app(cast(Flask, setup.app), setup.app.config["THETOOL_SETTINGS"])


@blueprint.get("/files/<uuid:blob_id>")
@raises(
    Unauthenticated, InvalidKey, Forbidden, LinkExpired, NotFound, BlobLost, RangeNotSatisfiable, StorageUnavailable
)
@blueprint.doc(responses=_DOWNLOADS, security=[{"BearerAuth": []}, {"ApiKeyAuth": []}, {}])
def download(blob_id: UUID) -> Response:
    """Download a file.

    With a key of the file's owner, or with a signed link (`expires` and `signature` in the query) and no key. One
    `Range` is honoured; `ETag` is the SHA-256 of the content. Browsers show images and plain texts, and save the rest.
    """
    return answer_with(_readable(blob_id), request)


@blueprint.delete("/files/<uuid:blob_id>")
@needs("write")
@blueprint.output({}, status_code=204)
@raises(NotFound, StorageUnavailable)
def remove(blob_id: UUID) -> tuple[str, int]:
    """Delete a file.

    It is out of sight at once, and its room is free.
    """
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
