"""What every job that analyzes is told. A child process imports this for its job, so it imports little."""

from __future__ import annotations

from pydantic import BaseModel

from thetool.analyze.remarks import Skipped


class Wanted(BaseModel):
    """What to find, and how to keep it."""

    tasks: tuple[str, ...]
    skipped: list[Skipped]
    cache_key: str
    keep_seconds: float
    by_name: bool = False
