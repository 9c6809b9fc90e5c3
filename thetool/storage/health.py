"""What health says about storage."""

from __future__ import annotations

from typing import Any

from thetool.storage.state import storage
from thetool.telemetry.health import register_probe


def register() -> None:
    """Show where files go, and how full it is, under `storage` in the detailed health."""
    register_probe("storage", probe)


def probe() -> dict[str, Any]:
    """The place of new files, the bytes that Postgres holds, and how many it may hold. Does not call the bucket."""
    of = storage()
    limit = of.settings.max_database_blob_bytes
    return {"place": of.place.name, "database_bytes": of.usage.bytes(), "database_limit_bytes": limit}
