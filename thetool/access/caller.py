"""Who sends the present request, and what the key behind it allows."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, cast
from urllib.parse import parse_qsl
from uuid import UUID

from flask import g, request

from thetool.access.lookup import KnownKey
from thetool.access.records import MASTER_OWNER_ID
from thetool.access.same_origin import require_same_origin
from thetool.access.session import MASTER, claimed_key
from thetool.access.state import access
from thetool.telemetry.logs import bind
from thetool.web.openapi import SECURITY_SCHEMES, raises
from thetool.web.problems import Forbidden, Problem

Scope = Literal["read", "write", "admin"]
SCOPES: frozenset[str] = frozenset({"read", "write", "admin"})
P = ParamSpec("P")
R = TypeVar("R")


class Unauthenticated(Problem):
    """The request carries no key."""

    status = 401
    code = "unauthenticated"
    title = "A key is needed"

    def __init__(self, detail: str = "Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class InvalidKey(Problem):
    """The request carries a key that is wrong, expired or revoked."""

    status = 401
    code = "invalid_key"
    title = "The key is not good"

    def __init__(self, detail: str = "The key is unknown or was revoked.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


@dataclass(frozen=True)
class Caller:
    """Whoever sends a request.

    `key_id` is None for the master key. The quotas are what the key allows its owner at one time, in unfinished jobs
    and in stored bytes; None is no bound.
    """

    owner_id: UUID
    key_id: UUID | None
    scopes: frozenset[str]
    is_master: bool
    name: str
    owner_name: str = "master"
    rate_limit_per_minute: int | None = None
    job_quota: int | None = None
    storage_quota_bytes: int | None = None

    @classmethod
    def of(cls, key: KnownKey) -> Caller:
        """The caller that an issued key stands for."""
        return cls(
            owner_id=key.owner_id,
            key_id=key.id,
            scopes=key.scopes,
            is_master=False,
            name=key.name,
            owner_name=key.owner_name,
            rate_limit_per_minute=key.rate_limit_per_minute,
            job_quota=key.job_quota,
            storage_quota_bytes=key.storage_quota_bytes,
        )


MASTER_CALLER = Caller(MASTER_OWNER_ID, key_id=None, scopes=SCOPES, is_master=True, name="master")


def current_caller() -> Caller:
    """The caller of the present request; found once a request.

    Raises:
        Unauthenticated: no key and no session (401 `unauthenticated`), or a key in the query string.
        InvalidKey: an unknown, expired or revoked key, or two different ones (401 `invalid_key`).
        Forbidden: a session's cookie came with a request from another site (403).
        DatabaseAway: the key is not known here and the database cannot be asked (503).
    """
    found: Caller | Problem | None = g.get("access_caller")
    if found is None:
        try:
            found = _identify()
        except Problem as problem:
            found = problem
        else:
            bind(caller=found.name, owner=found.owner_name)
        g.access_caller = found
    if isinstance(found, Problem):
        raise found
    return found


def needs(scope: Scope | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be called only with a key that has `scope` (None: any good key), and document that.

    Write it directly beneath the route's decorator, so that nothing of a stranger's request is read.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            require_scope(current_caller(), scope)
            return view(*args, **kwargs)

        documented = cast(Any, guarded)
        documented._spec = {**getattr(view, "_spec", {}), "security": list(SECURITY_SCHEMES)}
        documented.needs_scope = scope
        return raises(Unauthenticated, InvalidKey, *([Forbidden] if scope else []))(guarded)

    return decorate


def require_scope(caller: Caller, scope: Scope | None) -> None:
    """Raise Forbidden (403) unless the caller's key has the scope."""
    if scope is not None and scope not in caller.scopes:
        raise Forbidden(
            f"This needs a key with the scope `{scope}`; this one has {', '.join(sorted(caller.scopes)) or 'none'}."
        )


def sends_unknown_key() -> bool:
    """Whether the present request carries what may be an issued key, and this process would have to look it up."""
    key = _bearer() or request.headers.get("X-API-Key", "").strip()
    if not is_issued_form(key):
        return False
    digest = hashlib.sha256(key.encode()).digest()
    return not hmac.compare_digest(digest, access().master_hash) and not access().keys.knows(digest)


def caller_of_key(key: str) -> Caller:
    """The caller that a key stands for, wherever it came from.

    Raises:
        InvalidKey: when it is unknown, expired or revoked.
        DatabaseAway: when it is not known here and the database cannot be asked.
    """
    digest = hashlib.sha256(key.encode()).digest()
    if hmac.compare_digest(digest, access().master_hash):
        return MASTER_CALLER
    if not is_issued_form(key):
        raise InvalidKey
    return _checked(access().keys.by_hash(digest))


def require_living_key(key_id: UUID) -> None:
    """Check that an issued key has not ended, as far as this process has heard: within seconds.

    Raises:
        InvalidKey: it was revoked, or has expired.
        DatabaseAway: it is not known here and the database cannot be asked.
    """
    _checked(access().keys.by_id(key_id))


is_issued_form = re.compile(r"tt_[A-Za-z0-9_-]{43}", re.ASCII).fullmatch
_is_key_name = re.compile(r"key|token|(x[-_])?api[-_]?key|access[-_]?token", re.IGNORECASE).fullmatch
_is_key_form = re.compile(r"ttm?_[A-Za-z0-9_-]{43}", re.ASCII).fullmatch


def _identify() -> Caller:
    _refuse_key_in_query()
    bearer, own_header = _bearer(), request.headers.get("X-API-Key", "").strip()
    if bearer and own_header and bearer != own_header:
        raise InvalidKey("`Authorization` and `X-API-Key` hold different keys; send one.")
    key = bearer or own_header
    if key:
        return caller_of_key(key)
    claimed = claimed_key()
    if claimed is None:
        raise Unauthenticated
    require_same_origin()
    return MASTER_CALLER if claimed == MASTER else _checked(access().keys.by_id(UUID(claimed)))


def _checked(key: KnownKey | None) -> Caller:
    if key is None or key.revoked:
        raise InvalidKey
    if key.expired:
        raise InvalidKey("The key has expired.")
    return Caller.of(key)


def _bearer() -> str:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else ""


def _refuse_key_in_query() -> None:
    """Addresses end up in logs and histories, so a key there is refused even where it is right."""
    if not request.query_string:
        return
    for name, value in parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True):
        if _is_key_name(name) or _is_key_form(value):
            raise Unauthenticated(
                f"A key does not belong in the address (`?{name[:40]}=`): send it as `Authorization: Bearer KEY`."
            )
