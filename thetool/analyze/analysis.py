"""What every finished analysis has. The process of a table's job imports this, so it imports little."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from thetool.analyze.kinds import Kind
from thetool.analyze.remarks import Note, Skipped
from thetool.weights.used import ModelUsed


class Findings(BaseModel):
    """Analyses that were not asked for, or were skipped, are left out."""

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: found for name, found in handler(self).items() if found is not None}


class Analysis(BaseModel):
    """A finished analysis, as its job keeps it."""

    id: UUID = Field(description="Also the id of the job that made it.")
    kind: Kind = Field(description="What kind of content it was.")
    status: Literal["completed"] = "completed"
    result: Any
    models: list[ModelUsed] = Field(description="The models that had a part in it.")
    skipped: list[Skipped] = Field(description="The analyses that were not made, each with the reason.")
    notes: list[Note] = Field(default=[], description="What is to be known about those that were made.")
    cached: bool = Field(default=False, description="Whether an earlier analysis of the same content is the answer.")
    elapsed_ms: float = Field(description="Milliseconds that the analysis took when it was made.")
    correlation_id: str | None = Field(description="The `X-Request-ID` of the request that it was made for.")
