"""The job `restyle.run`: one photo in another style."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.exc import OperationalError

from thetool.config import Settings
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import job
from thetool.restyle import records
from thetool.restyle.options import Options
from thetool.restyle.schemas import RestyleResult
from thetool.storage.state import storage
from thetool.weights.repositories import is_here, part_named, place_of, what_is_wrong

KIND = "restyle.run"
PACKAGES = ("torch", "diffusers", "transformers")
TIMEOUT_SECONDS = 3600
"""For each picture: on a CPU it takes minutes, and waits for those before it."""


class Restyle(BaseModel):
    """What to restyle, and how. `given` are the fields of the options that the caller named."""

    input: UUID
    mask: UUID | None = None
    sha256: str
    options: Options
    given: list[str] = []
    keep_seconds: float


def has_packages() -> bool:
    """Whether the packages for it are installed here; cheap, and imports none of them."""
    return all(find_spec(name) for name in PACKAGES)


def can_restyle(settings: Settings) -> bool:
    """Whether this process has the packages and the weights for it; cheap, too."""
    if not has_packages() or not is_here(settings, "restyle"):
        return False
    if settings.restyle_edges == "canny":
        return True
    place = place_of(settings, part_named("restyle-edges"))
    return find_spec("controlnet_aux") is not None and place is not None and what_is_wrong(place) is None


@job(KIND, queue="gpu", runs="thread", timeout=TIMEOUT_SECONDS, max_attempts=3, able=can_restyle)
def restyle(context: JobContext, params: Restyle) -> RestyleResult:
    """Restyle a photo."""
    from thetool.restyle.engine import engine_of
    from thetool.restyle.work import Work

    try:
        return Work(context, params, local.settings, engine_of(local.settings)).run()
    except BaseException:
        with suppress(OperationalError):  # the database is away; the next cleanup removes it
            records.forget_preview(storage().engine, context.job_id)
        raise
