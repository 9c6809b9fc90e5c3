"""How good a photo is technically: sharpness, exposure, noise, resolution."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from thetool.vision.photo import Photo


class Sharpness(BaseModel):
    """How sharp the sharpest parts are."""

    value: float = Field(ge=0, le=1, description="0: no edge anywhere is sharp; 1: edges as sharp as pixels allow.")
    word: Literal["blurred", "soft", "sharp"]


class Exposure(BaseModel):
    """How light the photo is."""

    value: float = Field(ge=0, le=1, description="Mean lightness: 0 is black, 1 is white.")
    word: Literal["dark", "good", "bright", "low contrast", "harsh contrast"]
    shadows: float = Field(ge=0, le=1, description="Share of the photo that is black, without detail.")
    highlights: float = Field(ge=0, le=1, description="Share of the photo that is white, without detail.")


class Noise(BaseModel):
    """How grainy the photo is."""

    value: float = Field(ge=0, description="Estimated standard deviation of the noise, in steps of 0 to 255.")
    word: Literal["clean", "some noise", "noisy"]


class Resolution(BaseModel):
    """How many pixels the photo has."""

    value: float = Field(ge=0, description="Megapixels.")
    word: Literal["tiny", "low", "medium", "high"]


class Quality(BaseModel):
    """How good a photo is technically, each a number and a plain word. Whether it is a good picture is not judged."""

    sharpness: Sharpness
    exposure: Exposure
    noise: Noise
    resolution: Resolution


def find_quality(photo: Photo) -> Quality:
    """Judge the photo's sharpness, exposure, noise and resolution."""
    raise NotImplementedError
