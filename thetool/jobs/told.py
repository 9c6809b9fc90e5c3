"""What a kind of job has to say of its own jobs, beside what is said of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thetool.jobs.records import Job

_tellers: dict[str, Callable[[Job], dict[str, Any]]] = {}


def also_tells(kind: str, teller: Callable[[Job], dict[str, Any]]) -> None:
    """Add members to the answers about a kind's jobs, such as the names that an older system had for them.

    Args:
        kind: a registered kind.
        teller: gives them, of a job with its `params` and `result`; what all jobs have cannot be replaced.
    """
    _tellers[kind] = teller


def further(job: Job) -> dict[str, Any]:
    """The further members of a job."""
    teller = _tellers.get(job.kind)
    return teller(job) if teller else {}
