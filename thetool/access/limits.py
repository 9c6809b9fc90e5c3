"""How often a caller may ask: a token bucket for each issued key, and for each address that sends no good key.

`RATE_LIMIT_PER_MINUTE` (or the key's own limit) is what goes on for ever; `RATE_LIMIT_BURST` is how many requests may
come at once after a quiet time. A key with a limit of its own has a burst in the same proportion. Free are the master
key, health, static files, and reading jobs and files; but nowhere a wrong key, of which each may cost a question to
the database: once they have emptied the bucket of their address, none that is new to this process is looked up. When
the storage of the limits is away, all requests pass.
"""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address
from typing import Any, NoReturn, cast

import structlog
from flask import Flask, Response, current_app, g, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit
from limits import RateLimitItem, WindowStats, parse
from limits.strategies import STRATEGIES, RateLimiter

from thetool.access.caller import Caller, InvalidKey, current_caller, sends_unknown_key
from thetool.access.limit_storage import Bucket, BucketStorage
from thetool.config import Settings, SettingsError
from thetool.web.current import settings as current_settings
from thetool.web.problems import Problem, TooManyRequests

STRATEGY = "token-bucket"
FREE_PATHS = ("/health", "/api/v1/health", "/api/v1/live", "/api/v1/ready", "/metrics", "/static/", "/favicon.ico")
FREE_TO_READ = ("/api/v1/jobs", "/files/", "/ws/", "/docs", "/openapi.json", "/status.json")
SECONDS_OF_MERCY = 5.0
SECONDS_BETWEEN_WARNINGS = 60.0
MOST_REFUSED_KEPT = 4096

log = structlog.get_logger(__name__)


class RateLimited(TooManyRequests):
    """The caller's bucket is empty."""


class TokenBucketRateLimiter(RateLimiter):
    """A strategy for the `limits` library: each limit is a bucket that refills steadily.

    It lets requests pass while its storage is away, and asks nothing of the storage about a caller that is known to be
    refused still.
    """

    def __init__(self, storage: object) -> None:
        super().__init__(storage)  # type: ignore[arg-type]
        self._buckets = cast(BucketStorage, storage)
        self._away_until = 0.0
        self._warned_at = -math.inf
        self._refused: dict[str, tuple[Bucket, float]] = {}

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Count a request; whether it may go on."""
        name = identifiers[0]
        bucket = self.still_refused(name) or self._take(name, item.key_for(*identifiers), item, cost)
        g.rate_bucket, g.rate_item = bucket, item
        return bucket is None or bucket.allowed

    def test(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Whether a request may go on, without counting it."""
        return self._level(item, *identifiers).remaining >= cost

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        """When the bucket will be full (seconds since 1970), and how many requests it holds now."""
        bucket = self._level(item, *identifiers)
        return WindowStats(time.time() + bucket.full_in, bucket.remaining)

    def _level(self, item: RateLimitItem, *identifiers: str) -> Bucket:
        interval, capacity = _shape(item)
        return self._buckets.level(item.key_for(*identifiers), interval=interval, capacity=capacity)

    def _take(self, name: str, key: str, item: RateLimitItem, cost: int) -> Bucket | None:
        now = time.monotonic()
        if now < self._away_until:
            return None
        if self._away_until:  # one request asks whether it is back; the others do not wait with it
            self._away_until = now + SECONDS_OF_MERCY
        interval, capacity = _shape(item)
        try:
            bucket = self._buckets.take(key, interval=interval, capacity=capacity, cost=cost)
        except self._buckets.base_exceptions as error:
            self._away_until = time.monotonic() + SECONDS_OF_MERCY
            self._warn(error)
            return None
        self._away_until = 0.0
        if not bucket.allowed:
            self._remember_refusal(name, bucket, now)
        return bucket

    @property
    def refuses_some(self) -> bool:
        """Whether anybody was refused here of late."""
        return bool(self._refused)

    def still_refused(self, name: str) -> Bucket | None:
        """The empty bucket of a caller who was refused here and would be again; None for all others."""
        bucket, until = self._refused.get(name, (None, 0.0))
        left = until - time.monotonic()
        if bucket is None or left <= 0:
            return None
        return Bucket(False, bucket.capacity, 0, max(0.0, bucket.full_in - bucket.next_in + left), left)

    def _remember_refusal(self, name: str, bucket: Bucket, now: float) -> None:
        if len(self._refused) >= MOST_REFUSED_KEPT:
            self._refused.clear()
        self._refused[name] = (bucket, now + bucket.next_in)

    def _warn(self, error: Exception) -> None:
        if time.monotonic() - self._warned_at >= SECONDS_BETWEEN_WARNINGS:
            self._warned_at = time.monotonic()
            log.warning("rate limits are not kept: their storage is away", error=str(error))


STRATEGIES[STRATEGY] = TokenBucketRateLimiter  # type: ignore[assignment]


def init_app(app: Flask, settings: Settings) -> None:
    """Limit the requests of `app`, unless `RATE_LIMIT_ENABLED` is false. Opens no connection.

    Raises:
        SettingsError: `REDIS_URL` is not an address of a Redis.
    """
    if not settings.rate_limit_enabled:
        return
    limiter = Limiter(
        _bucket_name,
        application_limits=[ApplicationLimit(limit_provider=_rate)],
        strategy=STRATEGY,
        on_breach=_refuse,
        **_storage(settings),
    )
    app.extensions.setdefault("limiter", set()).add(limiter)  # it then adds no hooks of its own: free callers pay them
    limiter.init_app(app)
    app.before_request(lambda: _limit(limiter))
    app.after_request(_add_headers)


def _limit(limiter: Limiter) -> None:
    """Count the request, unless it is free. Raises RateLimited."""
    if _is_open():
        return
    _refuse_stranger(cast(TokenBucketRateLimiter, limiter.limiter))
    if not _is_free():
        limiter._check_request_limit()


def _refuse_stranger(strategy: TokenBucketRateLimiter) -> None:
    """Refuse a key that would have to be looked up, where the address has sent too many wrong ones already."""
    bucket = strategy.still_refused(_address()) if strategy.refuses_some else None
    if bucket is not None and sends_unknown_key():
        g.rate_bucket, g.rate_item = bucket, parse(_rate_of(None))
        raise _refusal(g.rate_item, bucket)


def _storage(settings: Settings) -> dict[str, Any]:
    """Where the limits are kept, in the words of Flask-Limiter."""
    if settings.redis_url is not None and settings.redis_enabled:
        address = settings.redis_url.get_secret_value()
        if not address.startswith(("redis://", "rediss://", "unix://")):
            raise SettingsError("REDIS_URL: must start with redis://, rediss:// or unix://")
        quick = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
        return {"storage_uri": f"bucket+{address}", "storage_options": quick}
    return {"storage_uri": "thetool-postgres://"}


def _shape(item: RateLimitItem) -> tuple[float, int]:
    """Seconds in which a bucket gains one request, and how many it holds."""
    limits = current_settings()
    burst = item.amount * limits.rate_limit_burst / limits.rate_limit_per_minute
    return item.get_expiry() / item.amount, max(1, math.ceil(burst))


def _is_open() -> bool:
    """Whether nobody's key matters here, so that none is looked at."""
    return request.method == "OPTIONS" or (request.path.startswith(FREE_PATHS) and not _needs_key())


def _is_free() -> bool:
    path, method = request.path, request.method
    if path.startswith(FREE_PATHS):
        return not _has_wrong_key()
    if method in {"GET", "HEAD"} and path.startswith(FREE_TO_READ):
        return not _has_wrong_key()
    caller = _known_caller()
    return caller is not None and caller.is_master


def _needs_key() -> bool:
    return hasattr(current_app.view_functions.get(request.endpoint or ""), "needs_scope")


def _has_wrong_key() -> bool:
    try:
        current_caller()
    except InvalidKey:
        return True
    except Problem:
        return False
    return False


def _known_caller() -> Caller | None:
    try:
        return current_caller()
    except Problem:  # the view will say so, if it needs a key; here the address counts
        return None


def _bucket_name() -> str:
    caller = _known_caller()
    return f"key:{caller.key_id}" if caller else _address()


def _address() -> str:
    return f"address:{network_of(request.remote_addr)}"


def network_of(address: str | None) -> str:
    """What counts as one caller without a key: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def _rate() -> str:
    return _rate_of(_known_caller())


def _rate_of(caller: Caller | None) -> str:
    own = caller.rate_limit_per_minute if caller else None
    return f"{own or current_settings().rate_limit_per_minute} per minute"


def _refuse(limit: RequestLimit) -> NoReturn:
    raise _refusal(limit.limit, g.rate_bucket)


def _refusal(item: RateLimitItem, bucket: Bucket) -> RateLimited:
    seconds = max(1, math.ceil(bucket.next_in))
    return RateLimited(
        f"{item.amount} requests a minute are allowed, and {bucket.capacity} at once after a quiet time; "
        f"ask again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def _add_headers(response: Response) -> Response:
    """Say what is left (draft-ietf-httpapi-ratelimit-headers-07), when the request was counted."""
    bucket: Bucket | None = g.get("rate_bucket")
    if bucket is not None:
        item: RateLimitItem = g.rate_item
        response.headers["RateLimit-Policy"] = f"{item.amount};w={item.get_expiry()};burst={bucket.capacity}"
        response.headers["RateLimit-Limit"] = str(bucket.capacity)
        response.headers["RateLimit-Remaining"] = str(bucket.remaining)
        response.headers["RateLimit-Reset"] = str(math.ceil(bucket.full_in))
    return response
