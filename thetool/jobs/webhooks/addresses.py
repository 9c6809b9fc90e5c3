"""The address that a webhook may have, in a model of what comes in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from thetool.web.outbound.addresses import Target


def _checked(url: str) -> str:
    Target.of(url)
    return url


WebhookUrl = Annotated[
    str,
    AfterValidator(_checked),
    Field(examples=["https://example.com/hooks/thetool"]),
]
"""The URL of a webhook, in a model of what comes in."""
WEBHOOK_URL = "Address that is sent a signed POST when the job is finished."
"""What such a field is for."""
