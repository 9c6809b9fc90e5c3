"""What a stream says: a snapshot, progress, changes of the life cycle, the end. One shape for all ways to listen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from thetool.jobs.snapshot import FINISHED

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """One row of `job_events`: what a job said of its progress."""

    id: int
    stage: str | None
    message: str | None
    progress: float
    created_at: datetime

    @classmethod
    def of(cls, found: dict[str, Any]) -> Said:
        """From the JSON that the query `news` gives."""
        created_at = datetime.fromisoformat(found["created_at"]).astimezone(UTC)
        return cls(**{**found, "progress": float(found["progress"]), "created_at": created_at})


@dataclass(frozen=True, slots=True)
class News:
    """A job as it is now, the number of its last event, and what it said since the event that was asked for.

    `files` are those that it stored, once it is completed.
    """

    id: UUID
    kind: str
    status: str
    stage: str | None
    message: str | None
    progress: float
    attempts: int
    max_attempts: int
    error: dict[str, Any] | None
    correlation_id: str | None
    cancel_requested_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    files: list[str]
    last_event: int
    said: list[Said]

    @property
    def finished(self) -> bool:
        """Whether nothing follows."""
        return self.status in FINISHED

    @property
    def state(self) -> tuple[str, int, bool]:
        """What a change of makes a message."""
        return self.status, self.attempts, self.cancel_requested_at is not None


@dataclass(frozen=True)
class Message:
    """One message.

    `id` is what a client sends as `Last-Event-ID` (or `?after=`) to go on after this message. `links` are paths; they
    are made addresses for each listener, who may have come by another name of this service.
    """

    id: str
    event: str
    data: dict[str, Any]
    links: dict[str, Any] | None = None
    final: bool = False
    _written: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False, compare=False)

    def at(self, position: int) -> Message:
        """The same message at another place of the stream."""
        return replace(self, id=str(position), _written={})

    def as_event(self, base: str) -> bytes:
        """As a server-sent event; `base` is what the links begin with."""
        return self._kept("event", base, lambda: self._event(base))

    def as_json(self, base: str) -> bytes:
        """As JSON: `{id, event, data}`."""
        return self._kept("json", base, lambda: _json({"id": self.id, "event": self.event, "data": self._data(base)}))

    def _kept(self, form: str, base: str, write: Any) -> bytes:
        """Written once for all listeners, who nearly always use one name of the service."""
        written = self._written.get((form, base))
        if written is None:
            written = write()
            if len(self._written) < 4:
                self._written[form, base] = written
        return written

    def _event(self, base: str) -> bytes:
        place = b"id: %b\n" % self.id.encode() if self.id else b""
        return b"%bevent: %b\ndata: %b\n\n" % (place, self.event.encode(), _json(self._data(base)))

    def _data(self, base: str) -> dict[str, Any]:
        if self.links is None:
            return self.data
        links = {
            name: [base + path for path in paths] if isinstance(paths, list) else paths and base + paths
            for name, paths in self.links.items()
        }
        return {**self.data, "links": links}


def snapshot(news: News) -> Message:
    """The job as it is now; the first message of every stream."""
    return Message(str(news.last_event), "snapshot", _state(news), _links(news))


def progress(job_id: UUID, said: Said) -> Message:
    """What the job said of its progress."""
    data = {
        "job_id": job_id,
        "progress": said.progress,
        "stage": said.stage,
        "message": said.message,
        "created_at": said.created_at,
    }
    return Message(str(said.id), "progress", data)


def status(news: News) -> Message:
    """A change of the life cycle; `completed`, `failed` and `cancelled` are the last message of a stream."""
    if news.finished_at is not None and news.finished:
        end = f"{news.last_event}-end-{microseconds(news.finished_at)}"
        return Message(end, news.status, _state(news), _links(news), final=True)
    return Message(str(news.last_event), "status", _state(news), _links(news))


def microseconds(finished_at: datetime) -> int:
    """Which of its ends a job's end is: one that was put back into the queue ends again, and may say nothing before."""
    return (finished_at - _EPOCH) // timedelta(microseconds=1)


def problem(body: dict[str, Any]) -> Message:
    """What went wrong, as a problem document; the last message of a stream."""
    return Message("", "problem", body, final=True)


def _state(news: News) -> dict[str, Any]:
    """The job by the names that `GET /api/v1/jobs/{id}` has for it."""
    names = (
        "id", "kind", "status", "stage", "message", "progress", "attempts", "max_attempts", "error", "correlation_id",
        "cancel_requested_at", "created_at", "started_at", "finished_at",
    )  # fmt: skip
    values = {name: getattr(news, name) for name in names}
    if news.finished:
        values["message"] = None  # what it was about to do
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in values.items()}


def _links(news: News) -> dict[str, Any]:
    here = f"/api/v1/jobs/{news.id}"
    links: dict[str, Any] = {"self": here, "result": f"{here}/result"}
    if news.finished:
        links["files"] = news.files
    else:
        links["cancel"] = f"{here}/cancel"
    return links


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
