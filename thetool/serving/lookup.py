"""Models as predictions need them: remembered in this process until a change is heard of (LISTEN).

A process that cannot hear (a script, a command, one behind a pooler that loses LISTEN) asks Postgres each time: only
who has heard a word of its own knows that it hears.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine

from thetool.access.statement import first_row
from thetool.config import Settings
from thetool.database.ids import new_id
from thetool.jobs.local import local
from thetool.serving.runtime.inspection import Found
from thetool.serving.runtime.lanes import Batching
from thetool.serving.runtime.signature import Signature
from thetool.serving.schemas import LATEST, BatchingIn

CHANNEL = "thetool_models"
MOST_KEPT = 4096
DEFAULT_ALIAS = "production"
HELLO_SECONDS = 1.0

_NOTIFY = "select pg_notify(%(channel)s, %(payload)s)"
_GET = """
    select m.id::text, m.owner_id::text, m.name, m.version, m.status, m.error_message, m.revision,
        encode(m.file_sha256, 'hex'), f.blob_id::text, f.size, m.found::text, m.batching::text, m.signature::text
    from models m left join model_files f on f.owner_id = m.owner_id and f.sha256 = m.file_sha256
    where m.id = %(id)s::uuid
"""
_ALIAS = """
    select model_id::text, canary_model_id::text, canary_percent from model_aliases
    where owner_id = %(owner_id)s::uuid and name = %(name)s and alias = %(reference)s
"""
_VERSION = """
    select id::text, null, 0 from models
    where owner_id = %(owner_id)s::uuid and name = %(name)s and version = %(reference)s
"""
# A precedence that ends in 0xFF is a release's; those come before any pre-release.
_LATEST = """
    select id::text, null, 0 from models
    where owner_id = %(owner_id)s::uuid and name = %(name)s and (status = 'ready' or not %(ready)s)
    order by (get_byte(precedence, length(precedence) - 1) = 255) desc, precedence desc, id desc limit 1
"""

T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """A model as it was a moment ago."""

    id: UUID
    owner_id: UUID
    name: str
    version: str
    status: str
    error_message: str | None
    revision: int
    sha256: str | None
    blob_id: UUID | None
    size: int | None
    found_json: str | None
    batching_json: str | None
    signature_json: str | None

    @cached_property
    def found(self) -> Found | None:
        """What validation found in its file."""
        return Found.model_validate_json(self.found_json) if self.found_json else None

    @cached_property
    def signature(self) -> Signature | None:
        """How it takes pictures or texts."""
        return Signature.model_validate_json(self.signature_json) if self.signature_json else None

    @cached_property
    def batching(self) -> Batching:
        """How rows of several requests share a run."""
        wanted = BatchingIn.model_validate_json(self.batching_json) if self.batching_json else BatchingIn()
        return Batching(wanted.enabled, wanted.max_size, wanted.max_delay_ms / 1000)


@dataclass(frozen=True)
class Route:
    """Which model a name leads to, and which share goes to another."""

    model_id: UUID
    canary_model_id: UUID | None
    canary_percent: float

    def choose(self) -> UUID:
        """One of the two, by their shares."""
        if self.canary_model_id is not None and random.random() * 100 < self.canary_percent:  # noqa: S311  no secret
            return self.canary_model_id
        return self.model_id


class Lookup:
    """Finds models; safe for many threads."""

    def __init__(self, settings: Settings, engine: Engine, *, on_change: Callable[[UUID | None], None]) -> None:
        self._settings = settings
        self._engine = engine
        self._on_change = on_change
        self._kept: dict[Any, tuple[Any, float]] = {}
        self._changes = 0
        self._heard_by: object = None
        self._channel_is_open = self._hears = False
        self._hello, self._next_hello = f"hello {new_id()}", 0.0

    def listen(self) -> None:
        """Begin to hear of changes, in a process that can."""
        self._listens()

    def by_id(self, model_id: UUID) -> Served | None:
        """The model with this id."""
        return self._remember(model_id, lambda: self.read(model_id))

    def by_name(self, owner_id: UUID, name: str, reference: str | None = None) -> Route | None:
        """Which of an owner's models a name leads to.

        Args:
            owner_id: whose.
            name: the models' name.
            reference: a version, an alias, or `latest`: the highest ready version, a release before any pre-release.
                None is the alias `production` where there is one, else `latest`.
        """
        return self._remember((owner_id, name, reference), lambda: self._route(owner_id, name, reference))

    def forget(self) -> None:
        """Ask Postgres again for each model: call it after the commit that changed one."""
        self._forget(None)

    def _remember(self, key: Any, read: Callable[[], T | None]) -> T | None:
        hears = self._listens()
        if hears:
            value, good_until = self._kept.get(key, (None, 0.0))
            if time.monotonic() < good_until:
                return value  # type: ignore[no-any-return]
        changes = self._changes
        found = read()
        if hears and found is not None and changes == self._changes:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found, time.monotonic() + self._settings.cache_model_ttl
        return found

    def _listens(self) -> bool:
        runner = local.runner
        if runner is None or runner.settings is not self._settings:
            return False
        if runner is not self._heard_by:
            self._heard_by, self._channel_is_open, self._hears = runner, False, False
            runner.listen(CHANNEL, self._hear)
        if self._channel_is_open and not self._hears and time.monotonic() >= self._next_hello:
            self._next_hello = time.monotonic() + HELLO_SECONDS
            first_row(_NOTIFY, engine=self._engine, channel=CHANNEL, payload=self._hello)
        return self._hears

    def _hear(self, payload: str | None) -> None:
        if payload is None:  # the connection is new, and something may have been missed
            self._channel_is_open, self._hears, self._next_hello = True, False, 0.0
            self._forget(None)
        elif payload == self._hello:
            self._hears = True
        elif not payload.startswith("hello"):
            self._forget(UUID(payload))

    def _forget(self, changed: UUID | None) -> None:
        self._changes += 1
        self._kept.clear()
        self._on_change(changed)

    def read(self, model_id: UUID) -> Served | None:
        """The model as it is now."""
        row = first_row(_GET, engine=self._engine, id=str(model_id))
        if row is None:
            return None
        model, owner, name, version, status, error, revision, sha256, blob, size, found, batching, signature = row
        blob_id = None if blob is None else UUID(blob)
        whose = UUID(model), UUID(owner), name, version
        return Served(*whose, status, error, revision, sha256, blob_id, size, found, batching, signature)

    def _route(self, owner_id: UUID, name: str, reference: str | None) -> Route | None:
        whose = {"owner_id": str(owner_id), "name": name}
        if reference is None:
            return self._route_by(_ALIAS, reference=DEFAULT_ALIAS, **whose) or self._route_by(
                _LATEST, ready=True, **whose
            )
        if reference == LATEST:
            return self._route_by(_LATEST, ready=True, **whose)
        statement = _VERSION if reference[:1].isdecimal() else _ALIAS
        return self._route_by(statement, reference=reference, **whose)

    def latest(self, owner_id: UUID, name: str, *, ready: bool) -> UUID | None:
        """The highest version of a name; not remembered."""
        found = self._route_by(_LATEST, owner_id=str(owner_id), name=name, ready=ready)
        return None if found is None else found.model_id

    def _route_by(self, statement: str, **values: Any) -> Route | None:
        row = first_row(statement, engine=self._engine, **values)
        if row is None:
            return None
        model, canary, percent = row
        return Route(UUID(model), None if canary is None else UUID(canary), float(percent))
