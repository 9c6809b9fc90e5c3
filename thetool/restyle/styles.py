"""The styles: data out of `styles.toml`, and of a file of the team's own."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from thetool.config import Settings, SettingsError

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


def styles(settings: Settings) -> dict[str, Style]:
    """All styles by name: ours, then those of `RESTYLE_STYLES`. The file is read again when it has changed.

    Raises:
        SettingsError: the file cannot be read, or holds something else than styles.
    """
    path = settings.restyle_styles
    found = dict(_built_in())
    if path is not None:
        try:
            found |= _of_file(path, path.stat().st_mtime_ns)
        except OSError as error:
            raise SettingsError(f"RESTYLE_STYLES: {path} cannot be read: {error.strerror}") from error
    return found


@lru_cache(maxsize=1)
def _built_in() -> dict[str, Style]:
    text = resources.files("thetool.restyle").joinpath("styles.toml").read_text("utf-8")
    return _read(tomllib.loads(text), {})


@lru_cache(maxsize=4)
def _of_file(path: Path, _changed: int) -> dict[str, Style]:
    ours = tomllib.loads(resources.files("thetool.restyle").joinpath("styles.toml").read_text("utf-8"))
    try:
        return _read(tomllib.loads(path.read_text("utf-8")), ours["defaults"])
    except (ValueError, ValidationError) as error:  # not TOML, not UTF-8, or no style
        raise SettingsError(f"RESTYLE_STYLES: {path}: {error}") from error


def _read(document: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Style]:
    defaults = {**defaults, **document.get("defaults", {})}
    found = {}
    for name, given in document.get("styles", {}).items():
        _Named(name=name)
        found[name] = Style.model_validate({**defaults, **given})
    return found


class _Named(BaseModel):
    name: str = Field(pattern=NAME_PATTERN)
