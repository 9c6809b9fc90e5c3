"""What may be asked of a restyling, by form fields or by the older `preferences`."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from thetool.restyle.styles import Colour

MAX_PROMPT = 500
MAX_SEED = 2**32 - 1
LEAST_STRENGTH = 0.05
Quality = Literal["fast", "balanced", "best"]
Label = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[\w -]+$")]
Labels = Annotated[list[Label], Field(max_length=20)]


def _list(value: Any) -> Any:
    """A list of JSON, or words between commas."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not a JSON list: {error}") from None
    return [part.strip() for part in text.split(",") if part.strip()]


def _switch_or_list(value: Any) -> Any:
    """`true`, `false`, or labels."""
    if isinstance(value, str) and (word := value.strip().lower()) in {"true", "false", "1", "0", "yes", "no", ""}:
        return word in {"true", "1", "yes"}
    return _list(value)


class Options(BaseModel):
    """What may be asked, each with its default."""

    model_config = ConfigDict(extra="forbid")

    style: str = Field("modern", max_length=40, description="One of `GET /transform/styles`.")
    room_type: str | None = Field(
        None, min_length=1, max_length=40, description="Such as `bedroom`; else what the objects in the photo say."
    )
    keep_furniture: Annotated[Labels | bool, BeforeValidator(_switch_or_list)] = Field(
        False, description="`true`, or which objects (`couch,chair`): they stay as they are, all else is painted anew."
    )
    remove: Annotated[Labels, BeforeValidator(_list)] = Field(
        default_factory=list,
        description="Objects to paint over (`couch,tv`); nothing else is changed then.",
    )
    color_palette: Annotated[list[Colour], BeforeValidator(_list)] = Field(
        default_factory=list, max_length=8, description="Colours such as `#aabbcc`, a JSON list or between commas."
    )
    strength: float | None = Field(
        None,
        ge=LEAST_STRENGTH,
        le=1,
        description="How much is painted anew; else the style's. 1 leaves no colour of the photo.",
    )
    structure: float | None = Field(
        None, ge=0, le=1, description="How closely the photo's shapes are followed; .5 is as the style has it."
    )
    prompt: str = Field("", max_length=MAX_PROMPT, description="Words to add to the style's (English).")
    negative_prompt: str = Field("", max_length=MAX_PROMPT, description="Words for what must not be seen.")
    seed: int | None = Field(
        None, ge=0, le=MAX_SEED, description="The same seed gives the same picture; else one is drawn."
    )
    variations: int = Field(1, ge=1, le=4, description="Pictures to make, with seeds that follow each other.")
    steps: int | None = Field(None, ge=2, le=60, description="Steps of painting; else what the quality has.")
    quality: Quality = Field("balanced", description="Size and steps: about 512², 640² or 768² pixels.")

    @field_validator("room_type", "prompt", "negative_prompt")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("must not hold U+0000")
        return None if value is None else re.sub(r"\s+", " ", value).strip()

    @model_validator(mode="after")
    def _kept_or_removed(self) -> Options:
        kept = self.keep_furniture if isinstance(self.keep_furniture, list) else []
        if both := sorted(set(map(spelled, kept)) & set(map(spelled, self.remove))):
            raise ValueError(f"keep_furniture and remove both name {', '.join(both)}; each thing can be in one of them")
        return self


def spelled(label: str) -> str:
    """A label as the detector spells it."""
    return label.lower().replace("_", " ")


ALIASES = {"palette": "color_palette", "room": "room_type"}
FIELDS = tuple(Options.model_fields)
