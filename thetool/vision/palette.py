"""The main colours of a photo."""

from __future__ import annotations

from pydantic import BaseModel, Field

from thetool.vision.photo import Photo

MOST = 6


class Colour(BaseModel):
    """One of the main colours."""

    hex: str = Field(pattern="^#[0-9a-f]{6}$", description="In sRGB, as CSS writes it.", examples=["#8c5a2b"])
    share: float = Field(ge=0, le=1, description="Share of the photo that is closest to it; all shares sum to 1.")
    name: str = Field(description="A plain name for it.", examples=["dark orange"])


class Palette(BaseModel):
    """The main colours of a photo."""

    colours: list[Colour] = Field(description="Largest share first; no more than six.")


def find_palette(photo: Photo, most: int = MOST) -> Palette:
    """The photo's main colours, no more than `most` (1 to 16)."""
    raise NotImplementedError
