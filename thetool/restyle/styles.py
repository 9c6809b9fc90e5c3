"""The styles: data out of `styles.toml`, and of a file of the team's own."""

from __future__ import annotations

import tomllib
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from thetool.config import Settings
from thetool.restyle.problems import StylesUnreadable

Share = Annotated[float, Field(ge=0, le=1)]
Scale = Annotated[float, Field(ge=0, le=2)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,39}$"


class Style(BaseModel):
    """One style; see `styles.toml` for what its numbers mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(max_length=60)
    summary: str = Field(max_length=200)
    prompt: str = Field(max_length=1000, description="With `{room}` where the kind of room goes.")
    negative: str = Field(max_length=1000)
    palette: tuple[Colour, ...] = Field(min_length=1, max_length=12)
    strength: Share
    guidance: float = Field(ge=1, le=20)
    depth: Scale
    edges: Scale


class _File(BaseModel):
    """A file of styles; each leaves out what `defaults` say."""

    model_config = ConfigDict(extra="forbid")

    defaults: dict[str, Any] = {}
    styles: dict[Annotated[str, Field(pattern=NAME_PATTERN)], dict[str, Any]] = {}

    def read(self, defaults: dict[str, Any]) -> dict[str, Style]:
        """The styles by name, with these defaults where the file has none."""
        common = {**defaults, **self.defaults}
        return {name: Style.model_validate({**common, **given}) for name, given in self.styles.items()}


def styles(settings: Settings) -> dict[str, Style]:
    """All styles by name: ours, then those of `RESTYLE_STYLES`. The file is read again when it has changed.

    Raises:
        StylesUnreadable: the file cannot be read, or holds something else than styles.
    """
    path = settings.restyle_styles
    if path is None:
        return _ours().read({})
    try:
        return {**_ours().read({}), **_of_file(path, path.stat().st_mtime_ns)}
    except OSError as error:
        raise StylesUnreadable(f"RESTYLE_STYLES: {path} cannot be read: {error.strerror}.") from error


@cache
def _ours() -> _File:
    text = resources.files("thetool.restyle").joinpath("styles.toml").read_text("utf-8")
    return _File.model_validate(tomllib.loads(text))


@lru_cache(maxsize=4)
def _of_file(path: Path, _changed: int) -> dict[str, Style]:
    try:
        return _File.model_validate(tomllib.loads(path.read_text("utf-8"))).read(_ours().defaults)
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, or no style
        raise StylesUnreadable(f"RESTYLE_STYLES: {path}: {error}") from error
