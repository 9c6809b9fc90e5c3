"""How often the cache had the answer: counted in this process, added to the table a moment later."""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine, text

from thetool.database.connection import is_unavailable

FLUSH_SECONDS = 2.0

log = structlog.get_logger(__name__)

_ADD = text(
    """
    insert into cache_counts (name, hits, misses) values (:name, :hits, :misses)
    on conflict (name) do update set hits = cache_counts.hits + excluded.hits,
        misses = cache_counts.misses + excluded.misses
    """
)
_READ = text("select hits, misses from cache_counts where name = :name")
_RESET = text("delete from cache_counts where name = :name")


@dataclass(frozen=True)
class Counts:
    """Requests that the cache answered, and others."""

    hits: int
    misses: int

    @property
    def rate(self) -> float | None:
        """Share of hits, 0 to 1; None before the first request."""
        total = self.hits + self.misses
        return round(self.hits / total, 4) if total else None

    def as_dict(self) -> dict[str, float | None]:
        """The counts as health tells them."""
        return {"hit_rate": self.rate, "hits": self.hits, "misses": self.misses}


class HitCounter:
    """Counts the hits and misses of one cache.

    A request pays for an addition only: the table is written by a timer, `FLUSH_SECONDS` after the first change, and
    what cannot be written because Postgres is away is written later.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self._name = name
        self._engine = engine
        self._lock = threading.Lock()
        self._hits = self._misses = 0
        self._timer: threading.Timer | None = None
        atexit.register(self.flush)

    def count(self, *, hit: bool) -> None:
        """Count one request."""
        with self._lock:
            self._hits += hit
            self._misses += not hit
            self._start_timer()

    def read(self) -> Counts:
        """The counts of all processes; those of others lag by `FLUSH_SECONDS`."""
        self.flush()
        with self._engine.connect() as connection:
            row = connection.execute(_READ, {"name": self._name}).one_or_none()
        return Counts(*row) if row else Counts(0, 0)

    def reset(self) -> None:
        """Begin at zero again."""
        with self._lock:
            self._hits = self._misses = 0
        with self._engine.begin() as connection:
            connection.execute(_RESET, {"name": self._name})

    def flush(self) -> None:
        """Add what was counted here to the table; nothing is lost when that fails."""
        with self._lock:
            hits, misses, self._hits, self._misses = self._hits, self._misses, 0, 0
        if not hits + misses:
            return
        try:
            with self._engine.begin() as connection:
                connection.execute(_ADD, {"name": self._name, "hits": hits, "misses": misses})
        except Exception as error:
            with self._lock:
                self._hits += hits
                self._misses += misses
            log.debug("cache counts not written yet", error=str(error), away=is_unavailable(error))

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(FLUSH_SECONDS, self._flush_later)
            self._timer.daemon = True
            self._timer.start()

    def _flush_later(self) -> None:
        with self._lock:
            self._timer = None
        self.flush()
        with self._lock:
            if self._hits + self._misses:
                self._start_timer()
