"""The webhook that a request asks for, checked before there is a job."""

from __future__ import annotations

from uuid import UUID

from thetool.access.caller import Caller
from thetool.access.webhook_secrets import recall
from thetool.jobs.claims import Webhook as Webhook
from thetool.jobs.local import local
from thetool.web.outbound.addresses import AddressRefused, Target, refuse_literal
from thetool.web.problems import Conflict, ValidationFailed


class NoWebhookSecret(Conflict):
    """The key has no secret to sign webhooks with, or the service's own secret has changed since it was made."""

    code = "no_webhook_secret"
    title = "The key cannot sign webhooks yet"


def webhook_of(caller: Caller, url: str | None, location: str = "body") -> Webhook | None:
    """The webhook for `submit(webhook=...)`; None without a URL. `location` is where the request names it.

    Raises:
        ValidationFailed: the URL breaks a rule, or names an address that webhooks do not reach (422).
        NoWebhookSecret: the key has none (409).
        DatabaseUnavailable: Postgres is away.
    """
    if url is None:
        return None
    try:
        refuse_literal(Target.of(url), private=local.settings.webhook_allow_private)
    except ValueError as error:
        raise ValidationFailed.of_fields([("webhook_url", str(error), location)]) from error
    except AddressRefused as error:
        told = f"{error}, which webhooks do not reach"
        raise ValidationFailed.of_fields([("webhook_url", told, location)]) from error
    if not signing_secrets(caller.key_id):
        raise NoWebhookSecret("Make one with POST /api/v1/keys/current/webhook-secret, and give it to the receiver.")
    return Webhook(url, caller.key_id)


def signing_secrets(key_id: UUID | None) -> list[bytes]:
    """The secrets that sign for a key, the newest first."""
    kept = local.queue.connection.run("webhook_secrets", {"key_id": key_id})
    return recall(local.settings, [(salt, fingerprint) for salt, fingerprint in kept])
