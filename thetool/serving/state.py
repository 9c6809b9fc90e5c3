"""What serving keeps for one application: its loaded models, the threads that run them, what it remembers."""

from __future__ import annotations

from functools import cached_property, partial
from typing import cast

from flask import Flask, current_app, has_app_context
from sqlalchemy import Engine as Database

from thetool.config import Settings
from thetool.database.hit_counts import HitCounter
from thetool.database.orm import db
from thetool.jobs.local import local
from thetool.serving import files
from thetool.serving.cache import PredictionCache
from thetool.serving.history import History
from thetool.serving.lookup import Lookup, Served
from thetool.serving.runtime.engine import Engine
from thetool.serving.runtime.inspection import Found
from thetool.serving.runtime.session_cache import SessionCache
from thetool.serving.runtime.sessions import Session, open_session, sample_feeds
from thetool.serving.shared_cache import shared_cache
from thetool.settings.group import cores

EXTENSION = "thetool_serving"
FEWEST_THREADS = 4
NEWEST = 0.2
"""Weight of the newest run in what a model usually takes."""


class Serving:
    """One application's serving; opens and starts nothing until it is used."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.settings = settings
        self._app = app
        self.sessions = SessionCache(settings.model_cache_bytes)
        self.engine = Engine(max(FEWEST_THREADS, cores()), retire=self.sessions.retire, worn_out=_ask_for_replacement)
        self._threads_of_a_run = max(1, cores() // settings.workers)
        self._usual_ms: dict[str, float] = {}

    @cached_property
    def database(self) -> Database:
        """The application's connection pool."""
        with self._app.app_context():
            return db.engine

    @cached_property
    def lookup(self) -> Lookup:
        """Finds models."""
        return Lookup(self.settings, self.database, on_change=self._forget)

    @cached_property
    def history(self) -> History:
        """Keeps the history of predictions."""
        return History(self.database)

    @cached_property
    def cache(self) -> PredictionCache:
        """Keeps predictions to be given again."""
        counter = HitCounter("predictions", self.database)
        return PredictionCache(self.settings, counter, shared_cache(self.settings, self.database))

    def session(self, model: Served, found: Found) -> Session:
        """The loaded model; loaded and warmed up now where it is not in memory.

        Raises:
            ModelTooLarge, NotFound, BlobLost, StorageUnavailable, InvalidModel: it cannot be loaded.
        """
        return self.sessions.get(model.sha256 or "", found.memory_bytes, partial(self._load, model, found))

    def usual_ms(self, model: Served) -> float | None:
        """How long runs of a model take here of late; None before the first one."""
        return self._usual_ms.get(model.sha256 or "")

    def note_ms(self, model: Served, milliseconds: float) -> None:
        """Remember how long a run took."""
        before = self.usual_ms(model)
        now = milliseconds if before is None else before + NEWEST * (milliseconds - before)
        self._usual_ms[model.sha256 or ""] = now

    def drop_file(self, sha256: str) -> None:
        """Forget what was made of a file that no model has any more."""
        self.sessions.drop(sha256)
        self._usual_ms.pop(sha256, None)
        files.drop_copy(self.settings, sha256)

    def write_rest(self) -> None:
        """Write what waits to be written."""
        if "history" in self.__dict__:
            self.history.flush()
        if "cache" in self.__dict__:
            self.cache.shared.flush()
            self.cache.counter.flush()

    def close(self) -> None:
        """Write what waits, and let the threads end."""
        self.write_rest()
        self.engine.close()

    def _load(self, model: Served, found: Found) -> Session:
        session = open_session(
            files.local_copy(self.settings, model),
            run_bytes=self.settings.model_run_bytes,
            threads=self._threads_of_a_run,
            size=found.memory_bytes,
            row_by_row=found.row_by_row,
        )
        if found.warms_up:
            ran = self.engine.run(session, sample_feeds(session.inputs), timeout=self.settings.predict_timeout_seconds)
            self.note_ms(model, ran.milliseconds)
        return session

    def _forget(self) -> None:
        """A model was changed, here or elsewhere: its predictions are unreachable by their keys, and go now."""
        if "cache" in self.__dict__:
            self.cache.local.clear()


_of_process: Serving | None = None


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its serving."""
    global _of_process
    _of_process = app.extensions[EXTENSION] = Serving(app, settings)


def serving() -> Serving:
    """The current application's; in a thread without one (a job's), that of this process's application.

    Raises:
        RuntimeError: when no application was made in this process.
    """
    if has_app_context():
        return cast(Serving, current_app.extensions[EXTENSION])
    if _of_process is None:
        raise RuntimeError("serving needs an application: call create_app() first")
    return _of_process


def write_rest() -> None:
    """Write what this process still holds of the history and of caches; call it before it ends."""
    if _of_process is not None:
        _of_process.write_rest()


def _ask_for_replacement() -> None:
    """Threads hang in a model's code; only a new process is rid of them."""
    if local.runner is not None:
        local.runner.wants_replacement = True
