"""`/api/v1/keys`: issuing, listing, rotating and revoking keys."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint

from thetool.access import keys
from thetool.access.caller import current_caller, needs
from thetool.access.records import ApiKey
from thetool.access.schemas import (
    CallerOut,
    IssuedKeyOut,
    KeyIn,
    KeyOut,
    KeyPageOut,
    KeysQuery,
    RotateQuery,
    WebhookSecretOut,
)
from thetool.access.webhook_secrets import TooManyWebhookSecrets
from thetool.web.openapi import raises
from thetool.web.pagination import page_of

blueprint = APIBlueprint("keys", __name__, url_prefix="/api/v1/keys", tag="Keys")


@blueprint.get("")
@needs("admin")
@blueprint.input(KeysQuery, location="query", arg_name="query")
@blueprint.output(KeyPageOut)
def list_keys(query: KeysQuery) -> KeyPageOut:
    """List issued keys, newest first: all of them for the master key, else those of the key's owner."""
    page = page_of("keys", keys.keys_of(current_caller(), query), query)
    return KeyPageOut(items=[KeyOut.model_validate(key) for key in page.items], next=page.next)


@blueprint.post("")
@needs("admin")
@blueprint.input(KeyIn, arg_name="wanted")
@blueprint.output(IssuedKeyOut, status_code=201)
def issue_key(wanted: KeyIn) -> tuple[IssuedKeyOut, int, dict[str, str]]:
    """Issue a key; the answer is the only place that ever shows it."""
    return _issued(*keys.issue(current_caller(), wanted))


@blueprint.get("/current")
@needs()
@blueprint.output(CallerOut)
def current_key() -> CallerOut:
    """Say who the key that was sent stands for."""
    return CallerOut.model_validate(current_caller())


@blueprint.post("/current/webhook-secret")
@needs("write")
@blueprint.output(WebhookSecretOut, status_code=201)
@raises(TooManyWebhookSecrets)
def make_current_webhook_secret() -> tuple[WebhookSecretOut, int, dict[str, str]]:
    """Make the secret that signs the webhooks of the key that was sent; the one before signs along for a day."""
    return _secret(current_caller().key_id)


@blueprint.get("/<uuid:key_id>")
@needs("admin")
@blueprint.output(KeyOut)
def show_key(key_id: UUID) -> KeyOut:
    """Show one key, without its secret."""
    return KeyOut.model_validate(keys.find(current_caller(), key_id))


@blueprint.post("/<uuid:key_id>/rotate")
@needs("admin")
@blueprint.input(RotateQuery, location="query", arg_name="query")
@blueprint.output(IssuedKeyOut, status_code=201)
def rotate_key(key_id: UUID, query: RotateQuery) -> tuple[IssuedKeyOut, int, dict[str, str]]:
    """Issue a new secret with the same owner and settings; the old one ends now, or after a time of grace."""
    return _issued(*keys.rotate(current_caller(), key_id, grace_seconds=query.grace_seconds))


@blueprint.post("/<uuid:key_id>/webhook-secret")
@needs("admin")
@blueprint.output(WebhookSecretOut, status_code=201)
@raises(TooManyWebhookSecrets)
def make_webhook_secret(key_id: UUID) -> tuple[WebhookSecretOut, int, dict[str, str]]:
    """Make the secret that signs the webhooks of a key; the one before signs along for a day."""
    return _secret(key_id)


@blueprint.delete("/<uuid:key_id>")
@needs("admin")
@blueprint.output({}, status_code=204)
def revoke_key(key_id: UUID) -> tuple[str, int]:
    """End a key at once (in other processes of the service within 5 seconds). What it made stays its owner's."""
    keys.revoke(current_caller(), key_id)
    return "", 204


def _secret(key_id: UUID | None) -> tuple[WebhookSecretOut, int, dict[str, str]]:
    secret = keys.give_webhook_secret(current_caller(), key_id)
    return WebhookSecretOut(key_id=key_id, webhook_secret=secret), 201, {"Cache-Control": "no-store"}


def _issued(key: ApiKey, secret: str) -> tuple[IssuedKeyOut, int, dict[str, str]]:
    shown = KeyOut.model_validate(key).model_dump()
    headers = {"Location": f"/api/v1/keys/{key.id}", "Cache-Control": "no-store"}
    return IssuedKeyOut(**shown, key=secret), 201, headers
