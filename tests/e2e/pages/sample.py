"""The sample application, with kinds of job for the pages to show."""

from __future__ import annotations

import time

from pydantic import BaseModel

from tests.e2e.sample import app
from tests.e2e.sample_kinds import Sleep
from thetool.config import get_settings
from thetool.jobs.context import JobContext
from thetool.jobs.registry import job

__all__ = ["app"]

MARKUP = "<img src=x onerror=alert(1)>"


class Said(BaseModel):
    """What a job says at its end."""

    text: str


@job("sample.page_steps", timeout=600)
def steps(context: JobContext, params: Sleep) -> Said:
    """Report a step every now and then, with words that must not become markup, until it is enough."""
    for step in range(1, 101):
        if (get_settings().home / "enough").exists():
            break
        context.progress(step / 100, "stepping", f"Step {step} {MARKUP}")
        time.sleep(params.seconds / 100)
    return Said(text=MARKUP)


job("sample.page_news", timeout=600)(steps)


@job("sample.failing", timeout=600, max_attempts=1)
def failing(context: JobContext, params: Sleep) -> Said:
    """Fail, with words that must not become markup."""
    raise RuntimeError(f"broken {MARKUP}")
