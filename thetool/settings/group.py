"""What all groups of settings share: how one is declared, and how the environment is read."""

from __future__ import annotations

import os
from typing import Any

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def named(name: str, *aliases: str, default: Any = ..., description: str, **constraints: Any) -> Any:
    """Declare a setting read from `name`, or from one of the `aliases` that the five older systems used."""
    return Field(default, validation_alias=AliasChoices(name, *aliases), description=description, **constraints)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Group(BaseSettings):
    """Some settings of one process, read from the environment."""

    model_config = SettingsConfigDict(
        case_sensitive=True, extra="ignore", env_ignore_empty=True, frozen=True, allow_inf_nan=False
    )
