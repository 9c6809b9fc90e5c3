"""The tables of models, their files, aliases and predictions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import REAL, BigInteger, DateTime, ForeignKey, Text, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.orm import Mapped, mapped_column

from thetool.database.orm import Record

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class ModelFile(Record):
    """A model's file: one for each content of an owner, however many models are made of it."""

    __tablename__ = "model_files"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    blob_id: Mapped[UUID]
    size: Mapped[int] = mapped_column(BigInteger)


class Model(Record):
    """One version of a model.

    `precedence` is the version so that its bytes sort as SemVer does. `found` is what validation found in the file
    (`inspection.Found`). `revision` counts the changes.
    """

    __tablename__ = "models"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    precedence: Mapped[bytes]
    description: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    error_message: Mapped[str | None] = mapped_column(Text)
    # `metadata` is a word of SQLAlchemy's own
    model_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", JSON, server_default="{}")
    found: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    signature: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    batching: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    file_sha256: Mapped[bytes | None]
    validation_job_id: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Moment] = mapped_column(server_default=func.now())
    updated_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ModelAlias(Record):
    """A name for one of a model's versions, such as `production`, and who gets a share of its predictions."""

    __tablename__ = "model_aliases"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    alias: Mapped[str] = mapped_column(Text, primary_key=True)
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    earlier: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default="{}")
    canary_model_id: Mapped[UUID | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"))
    canary_percent: Mapped[float] = mapped_column(REAL, server_default="0")
    updated_at: Mapped[Moment] = mapped_column(server_default=func.now())


class Prediction(Record):
    """One prediction that was made; of large ones what went in and came out is left away (`truncated`)."""

    __tablename__ = "predictions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    model_id: Mapped[UUID]
    input_data: Mapped[Any | None] = mapped_column(JSON)
    output_data: Mapped[Any | None] = mapped_column(JSON)
    truncated: Mapped[bool]
    rows: Mapped[int | None]
    inference_time_ms: Mapped[float | None] = mapped_column(REAL)
    cached: Mapped[bool]
    error: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Moment]
