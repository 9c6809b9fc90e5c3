"""The words that guide the model."""

from __future__ import annotations

from typing import NamedTuple

from thetool.restyle.options import Options
from thetool.restyle.quality import colours_of
from thetool.restyle.styles import Style
from thetool.vision.palette import names_of

EMPTY_PLACE = "empty {room} interior, bare wall and floor, nothing there"


class Prompt(NamedTuple):
    """What is to be seen, and what must not be."""

    positive: str
    negative: str


def prompt_of(options: Options, style: Style, room: str | None) -> Prompt:
    """The style's words for this room, the wished colours and what the caller adds; what is removed is unwanted."""
    template = EMPTY_PLACE if options.remove else style.prompt
    words = template.replace("{room}", (room or "room").replace("_", " "))
    colours = ", ".join(dict.fromkeys(_names(options.color_palette)))
    positive = [words, f"colours: {colours}" if colours else "", options.prompt]
    negative = [style.negative, ", ".join(options.remove), options.negative_prompt]
    return Prompt(", ".join(filter(None, positive)), ", ".join(filter(None, negative)))


def _names(palette: list[str]) -> list[str]:
    return names_of(colours_of(palette)) if palette else []
