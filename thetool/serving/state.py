"""What serving keeps for one application: its loaded models, the threads that run them, what it remembers."""

from __future__ import annotations

from functools import cached_property
from typing import cast

from flask import Flask, current_app, has_app_context

from thetool.config import Settings
from thetool.database.orm import db
from thetool.jobs.local import local
from thetool.serving import files
from thetool.serving.lookup import Lookup
from thetool.serving.runtime.engine import Engine
from thetool.serving.runtime.session_cache import SessionCache
from thetool.settings.group import cores

EXTENSION = "thetool_serving"
FEWEST_THREADS = 4


class Serving:
    """One application's serving; opens and starts nothing until it is used."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.settings = settings
        self._app = app
        self.sessions = SessionCache(settings.model_cache_bytes)
        self.engine = Engine(max(FEWEST_THREADS, cores()), retire=self.sessions.retire, worn_out=_ask_for_replacement)
        self.threads_of_a_run = max(1, cores() // settings.workers)

    @cached_property
    def lookup(self) -> Lookup:
        """Finds models."""
        with self._app.app_context():
            return Lookup(self.settings, db.engine, on_change=self.forget_predictions)

    def close(self) -> None:
        """Let the threads end."""
        self.engine.close()

    def drop_file(self, sha256: str) -> None:
        """Forget what was made of a file that no model has any more."""
        self.sessions.drop(sha256)
        files.drop_copy(self.settings, sha256)

    def forget_predictions(self) -> None:
        """A model was changed, here or elsewhere."""


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


def _ask_for_replacement() -> None:
    """Threads hang in a model's code; only a new process is rid of them."""
    if local.runner is not None:
        local.runner.wants_replacement = True
