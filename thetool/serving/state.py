"""What serving keeps for one application: its loaded models, the threads that run them, what it remembers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import structlog
from flask import Flask, current_app, has_app_context

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
from thetool.serving.runtime.problems import PredictionFailed, PredictionsBusy
from thetool.serving.runtime.session_cache import SessionCache
from thetool.serving.runtime.sessions import Session, open_session, sample_feeds
from thetool.serving.shared_cache import shared_cache
from thetool.settings.group import cores
from thetool.vision.decoder import Decoder

if TYPE_CHECKING:
    import numpy as np

EXTENSION = "thetool_serving"
FEWEST_THREADS = 4
NEWEST = 0.2
"""Weight of the newest run in what a model usually takes."""

log = structlog.get_logger(__name__)


class Serving:
    """One application's serving; opens and starts nothing until it is used."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.settings = settings
        self.sessions = SessionCache(settings.model_cache_bytes)
        self.engine = Engine(max(FEWEST_THREADS, cores()), retire=self.sessions.retire, worn_out=_ask_for_replacement)
        self._threads_of_a_run = max(1, cores() // settings.workers)
        self._usual_ms: dict[str, float] = {}
        self._files: dict[UUID, str] = {}  # of the models that were loaded here
        self._ahead = ThreadPoolExecutor(1, "models")
        self._decoder = Decoder()
        with app.app_context():
            self.database = db.engine
        self.lookup = Lookup(settings, self.database, on_change=self._hear)
        self.history = History(self.database)
        counter = HitCounter("predictions", self.database)
        self.cache = PredictionCache(settings, counter, shared_cache(settings, self.database))

    def pixels(self, content: bytes) -> np.ndarray[Any, Any]:
        """A picture's pixels, decoded in a process of its own; raises as `Decoder.decode` does."""
        return self._decoder.decode(content).pixels

    def session(self, model: Served, found: Found) -> Session:
        """The loaded model; loaded and warmed up now where it is not in memory.

        Raises:
            ModelTooLarge, NotFound, BlobLost, StorageUnavailable, InvalidModel: it cannot be loaded.
        """
        sha256 = model.sha256 or ""
        self._files[model.id] = sha256
        return self.sessions.get(sha256, found.memory_bytes, partial(self._load, model, found))

    def usual_ms(self, model: Served) -> float | None:
        """How long runs of a model take here of late; None before the first one."""
        return self._usual_ms.get(model.sha256 or "")

    def note_ms(self, model: Served, milliseconds: float) -> None:
        """Remember how long a run took."""
        before = self.usual_ms(model)
        now = milliseconds if before is None else before + NEWEST * (milliseconds - before)
        self._usual_ms[model.sha256 or ""] = now

    def figures(self) -> dict[str, int]:
        """What health tells of the models in this process."""
        return {
            "loaded": len(self.sessions),
            "loaded_bytes": self.sessions.bytes,
            "most_bytes": self.sessions.budget,
            "threads_lost": self.engine.lost,
        }

    def drop(self, model_id: UUID) -> None:
        """Forget a model that is gone, or rests; the session of a file that another one is made of, too, stays."""
        self.cache.local.forget(model_id)
        sha256 = self._files.pop(model_id, None)
        if sha256 is not None and sha256 not in self._files.values():
            self.sessions.drop(sha256)
            self._usual_ms.pop(sha256, None)
            files.drop_copy(self.settings, sha256)

    def write_rest(self) -> None:
        """Write what waits to be written."""
        self.history.flush()
        self.cache.shared.flush()
        self.cache.counter.flush()

    def close(self) -> None:
        """Write what waits, and let the threads end."""
        self._ahead.shutdown(cancel_futures=True)
        self.write_rest()
        self.engine.close()

    def _load(self, model: Served, found: Found) -> Session:
        session = open_session(
            files.local_copy(self.settings, model),
            run_bytes=self.settings.model_run_bytes,
            threads=self._threads_of_a_run,
            size=found.memory_bytes,
            row_by_row=found.row_by_row,
            bounded=found.bounded,
        )
        if found.warms_up:
            self._warm_up(model, session)
        return session

    def _warm_up(self, model: Served, session: Session) -> None:
        try:
            ran = self.engine.run(session, sample_feeds(session.inputs), timeout=self.settings.predict_timeout_seconds)
            self.note_ms(model, ran.milliseconds)
        except (PredictionFailed, PredictionsBusy) as error:  # others have the memory or the threads just now
            log.info("a model was not warmed up", model_id=str(model.id), error=str(error))

    def _hear(self, changed: UUID | None) -> None:
        """A model was changed, here or elsewhere."""
        if changed is not None:
            self._ahead.submit(self._load_ahead, changed)

    def _load_ahead(self, model_id: UUID) -> None:
        """Load what will be asked for soon: ONNX Runtime when a file has come, the model when it is ready."""
        try:
            model = self.lookup.by_id(model_id)
            if model is None or model.status not in ("uploaded", "validating", "ready"):
                self.drop(model_id)
                return
            import onnxruntime  # noqa: F401

            if model.status == "ready" and model.found and self.sessions.has_room(model.found.memory_bytes):
                self.session(model, model.found)
        except Exception as error:  # whoever asks for the model will be told
            log.info("a model was not loaded ahead", model_id=str(model_id), error=str(error))


_of_process: Serving | None = None


def init_app(app: Flask, settings: Settings) -> Serving:
    """Give the application its serving."""
    global _of_process
    _of_process = app.extensions[EXTENSION] = Serving(app, settings)
    return _of_process


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


def listen() -> None:
    """Begin to hear of models that change, and to load those that become ready; for a worker that serves."""
    if _of_process is not None:
        _of_process.lookup.listen()


def loaded_bytes() -> int:
    """What the models take that are loaded in this process: a new one would have to load them anew."""
    return 0 if _of_process is None else _of_process.sessions.bytes


def write_rest() -> None:
    """Write what this process still holds of the history and of caches; call it before it ends."""
    if _of_process is not None:
        _of_process.write_rest()


def _ask_for_replacement() -> None:
    """Threads hang in a model's code; only a new process is rid of them."""
    if local.runner is not None:
        local.runner.wants_replacement = True
