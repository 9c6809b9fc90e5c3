"""Kinds of jobs that have children."""

from __future__ import annotations

import time
from typing import Any

from pydantic import BaseModel, Field

from thetool.jobs.context import JobContext
from thetool.jobs.registry import TransientError, job


class Clan(BaseModel):
    """What to be parent of: each text is a leaf's; a list is another parent."""

    members: list[Any] = Field(default_factory=list)
    rounds: int = 1
    wait: bool = True
    fail: str = ""


class Told(BaseModel):
    texts: list[Any] = Field(default_factory=list)
    attempt: int = 0


class Leaf(BaseModel):
    text: str = ""


@job("sample.leaf", max_attempts=2)
def leaf(context: JobContext, params: Leaf) -> Leaf:
    """Says its text; or does what the text says."""
    word, _, rest = params.text.partition(" ")
    if word == "fail":
        raise ValueError(rest)
    if word == "again" and context.attempt == 1:
        raise TransientError("not yet", retry_after=0.01)
    if word == "sleep":
        stop = time.monotonic() + float(rest)
        while time.monotonic() < stop:
            context.checkpoint()
            time.sleep(0.01)
    return params


@job("sample.clan", max_attempts=2)
def clan(context: JobContext, params: Clan) -> Told:
    """Has its members as children, one round after the other, and gathers what they said."""
    return _lead(context, params)


@job("sample.clan_apart", runs="process", max_attempts=2)
def clan_apart(context: JobContext, params: Clan) -> Told:
    """The same in a child process."""
    return _lead(context, params)


def _lead(context: JobContext, params: Clan) -> Told:
    done = len(context.children)
    if done < params.rounds * len(params.members):
        for member in params.members:
            if isinstance(member, list):
                context.spawn("sample.clan", Clan(members=member), title="clan")
            else:
                context.spawn("sample.leaf", Leaf(text=member), title=member, expires_in=3600, priority=5)
        if params.fail == "before":
            raise TransientError("fails after it spawned", retry_after=0.01)
        if params.wait:
            context.progress(0.25, "waiting", "Waits for its children")
            context.wait_for_children()
    elif params.fail == "after":
        raise ValueError("fails when all are there")
    return Told(texts=[_told(child) for child in context.children], attempt=context.attempt)


def _told(child: Any) -> Any:
    if child.status != "completed":
        return [child.status, (child.error or {}).get("code")]
    return child.result.get("text", child.result.get("texts"))


@job("sample.circle")
def circle(context: JobContext, params: Clan) -> Told:
    """Has a child whenever it is called: never ends by itself."""
    context.spawn("sample.leaf", Leaf())
    context.wait_for_children()
    raise AssertionError
