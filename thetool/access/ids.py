"""The one id that every house knows, for those who need no tables to go with it."""

from __future__ import annotations

from uuid import UUID

MASTER_OWNER_ID = UUID("00000000-0000-7000-8000-000000000001")
"""Owner of what is made with the master key; its row is made by the first migration."""
