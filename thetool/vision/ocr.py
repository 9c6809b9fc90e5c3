"""Reading printed text in a photo: where its lines are (`text_lines`), and what each says (`characters`)."""

from __future__ import annotations

from pydantic import BaseModel, Field

Box = tuple[float, float, float, float]
_BOX = "[x_min, y_min, x_max, y_max] around it, in pixels of the upright full-size image."


class Word(BaseModel):
    """One word of a line."""

    text: str
    confidence: float = Field(ge=0, le=1, description="Mean of its characters' probabilities.")
    box: Box = Field(description=f"{_BOX} Left and right are estimated from where the model saw the characters.")


class Line(BaseModel):
    """One line of text, or the part of a line that stands apart."""

    text: str
    confidence: float = Field(ge=0, le=1, description="Mean of its characters' probabilities.")
    box: Box = Field(description=_BOX)
    words: list[Word] = Field(description="Its words, in order.")


class TextInImage(BaseModel):
    """The text that a photo shows."""

    text: str = Field(description="All lines, one below the other.")
    lines: list[Line] = Field(description="From top to bottom, and from left to right where they stand side by side.")
