"""What is said of analyses: those that were not made, and what is to be known of those that were."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Skipped(BaseModel):
    """An analysis that was not made, rather than made up."""

    task: str = Field(description="Its name.", examples=["sentiment"])
    reason: str = Field(description="Why, in a sentence.", examples=["It is in German; sentiment is for English only."])
    how: str | None = Field(default=None, description="What can be done about it, if anything.")


class Note(BaseModel):
    """What is to be known about an analysis that was made."""

    task: str = Field(
        description="Its name; `annotate`, or `text` or `table` for the whole of one.", examples=["topics"]
    )
    note: str = Field(description="In a sentence.", examples=["700 of 52,310 sentences were read."])
