"""The tables of the queue, as the routes read them. What runs jobs uses queries.sql."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import REAL, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from thetool.database.orm import Record

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Job(Record):
    """One job. `params` and `result` may be large: they are read when they are asked for."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    queue: Mapped[str] = mapped_column(Text)
    runs: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    stage: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    progress: Mapped[float] = mapped_column(REAL)
    priority: Mapped[int]
    params: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    attempts: Mapped[int]
    max_attempts: Mapped[int]
    lost: Mapped[int]
    run_at: Mapped[Moment]
    timeout_s: Mapped[float] = mapped_column(REAL)
    cancel_requested_at: Mapped[Moment | None]
    batch_id: Mapped[UUID | None]
    parent_id: Mapped[UUID | None]
    children_left: Mapped[int]
    correlation_id: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[UUID]
    webhook_url: Mapped[str | None] = mapped_column(Text)
    webhook_key_id: Mapped[UUID | None]
    delivery_of: Mapped[UUID | None]
    created_at: Mapped[Moment]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    expires_at: Mapped[Moment | None]


class Worker(Record):
    """A worker process, as it last said of itself."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(Text)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    devices: Mapped[list[str]] = mapped_column(ARRAY(Text))
    slots: Mapped[int]
    running: Mapped[int]
    draining: Mapped[bool]
    started_at: Mapped[Moment]
    heartbeat_at: Mapped[Moment]
