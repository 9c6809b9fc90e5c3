"""What the OpenAPI document says of webhooks, for each route whose jobs may have one."""

from __future__ import annotations

from typing import Any

from thetool.jobs.webhooks.payload import WebhookMessage


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string"}}


CALLBACKS: dict[str, Any] = {
    "jobFinished": {
        "{$request.query.webhook_url}": {
            "post": {
                "summary": "The job is finished",
                "description": "Sent once for each job's end, signed as Standard Webhooks has it; again until it is "
                "answered with 2xx, for a day.",
                "parameters": [
                    _header("webhook-id", "The same each time that this is sent."),
                    _header("webhook-timestamp", "Seconds since 1970."),
                    _header("webhook-signature", "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64."),
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookMessage"}}},
                },
                "responses": {"2XX": {"description": "Taken."}, "410": {"description": "Not wanted any more."}},
            }
        }
    }
}
"""The `callbacks` of an operation that takes a `webhook_url`."""
MODELS = (WebhookMessage,)
"""The models that it refers to."""
