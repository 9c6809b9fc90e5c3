"""What the service does by itself: cleaning up, and keeping the hot tables small."""

from __future__ import annotations

from pydantic import BaseModel

from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import TransientError, job
from thetool.jobs.schedules import retention
from thetool.jobs.schedules.cleanup import Cleaned, cleanup
from thetool.jobs.schedules.registry import schedule
from thetool.jobs.schedules.vacuum import IDLE_SECONDS, vacuum

__all__ = ["retention"]

CLEANUP_EVERY_SECONDS = 300
CLEANUP_SECONDS = 60
"""What is not done by then is done by the next; a slot must not be taken for long."""


class Nothing(BaseModel):
    """No parameters."""


# It waits for Postgres and uses no core: so it has a slot that no long job, no long queue and no receiver can hold.
@job("system.cleanup", runs="housekeeping", timeout=2 * CLEANUP_SECONDS, max_attempts=2)
def clean_up(context: JobContext, params: Nothing) -> Cleaned:
    """Remove what is over."""
    done = cleanup(local.settings, seconds=CLEANUP_SECONDS, checkpoint=context.checkpoint)
    if done.failed:
        raise TransientError("; ".join(f"{name}: {why}" for name, why in done.failed.items()))
    return done


schedule("cleanup", every=CLEANUP_EVERY_SECONDS, kind="system.cleanup")
schedule("vacuum", every=IDLE_SECONDS, errand=vacuum)
