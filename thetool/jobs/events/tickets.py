"""Tickets: what a browser shows where it can send no key, to listen to one job of one owner.

A ticket is good until the job has been over for 5 minutes, for 24 hours at most, and no longer than the key that it was
made for. It opens streams and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from thetool.access.caller import Caller
from thetool.access.local_key import master_key
from thetool.access.secrets import derive
from thetool.config import Settings
from thetool.web.problems import Problem

LONGEST_SECONDS = 24 * 3600
SECONDS_AFTER_THE_END = 300

_LAYOUT = struct.Struct(">16s16sQ")
_MASTER = UUID(int=0)


class InvalidTicket(Problem):
    """The ticket was not made here, or for another job, or the key that it was made for has ended."""

    status = 401
    code = "invalid_ticket"
    title = "The ticket is not good"


class TicketExpired(Problem):
    """The ticket was right, and its time is over: ask for the job again, which has a new one in its links."""

    status = 401
    code = "ticket_expired"
    title = "The ticket has expired"


def make_ticket(settings: Settings, job_id: UUID, owner_id: UUID, key_id: UUID | None) -> str:
    """A ticket for one job of one owner, for whoever has the key `key_id` (None: the master key)."""
    content = _LAYOUT.pack(owner_id.bytes, (key_id or _MASTER).bytes, int(time.time()) + LONGEST_SECONDS)
    return base64.urlsafe_b64encode(content + _signature(settings, job_id, content)).rstrip(b"=").decode()


def caller_of_ticket(settings: Settings, job_id: UUID, ticket: str) -> tuple[Caller, float]:
    """Whom a ticket stands for, and for how many seconds still. Whether the key is still good is another question.

    Raises:
        InvalidTicket: it was not made here, or for another job, or with another master key (401).
        TicketExpired: it is older than 24 hours (401).
    """
    try:
        raw = base64.b64decode(ticket + "=" * (-len(ticket) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidTicket from None
    content, signature = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
    if len(content) < _LAYOUT.size or not hmac.compare_digest(_signature(settings, job_id, content), signature):
        raise InvalidTicket
    owner, key, expires = _LAYOUT.unpack(content)
    left = expires - time.time()
    if left <= 0:
        raise TicketExpired
    key_id = None if key == _MASTER.bytes else UUID(bytes=key)
    return Caller(UUID(bytes=owner), key_id, scopes=frozenset({"read"}), is_master=False, name="ticket"), left


def require_recent(finished_at: datetime | None) -> None:
    """Raise TicketExpired when the job has been over for too long."""
    if finished_at is not None and (datetime.now(UTC) - finished_at).total_seconds() > SECONDS_AFTER_THE_END:
        raise TicketExpired


def _signature(settings: Settings, job_id: UUID, content: bytes) -> bytes:
    return hmac.digest(_secret(settings), job_id.bytes + content, hashlib.sha256)


@lru_cache(maxsize=4)
def _secret(settings: Settings) -> bytes:
    """Worked out once: a list of jobs has a ticket for each that is unfinished. A new master key ends all tickets."""
    return hmac.digest(derive(settings, "tickets"), master_key(settings).encode(), hashlib.sha256)
