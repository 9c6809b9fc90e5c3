"""Kinds of job of the sample application; a child process imports this module alone, not the application."""

from __future__ import annotations

import os
import time

from pydantic import BaseModel

from thetool.config import get_settings
from thetool.jobs.context import JobContext
from thetool.jobs.registry import job


class Sleep(BaseModel):
    """How long to sleep."""

    seconds: float


class Slept(BaseModel):
    """Who slept."""

    pid: int


@job("sample.polite", timeout=600)
def polite(context: JobContext, params: Sleep) -> Slept:
    """Sleep, and ask all the time whether to stop."""
    end = time.monotonic() + params.seconds
    while time.monotonic() < end:
        context.checkpoint()
        time.sleep(0.02)
    return Slept(pid=os.getpid())


@job("sample.stubborn", timeout=600)
def stubborn(context: JobContext, params: Sleep) -> Slept:
    """Sleep, and never ask."""
    time.sleep(params.seconds)
    return Slept(pid=os.getpid())


@job("sample.in_child", runs="process", timeout=600)
def child(context: JobContext, params: Sleep) -> Slept:
    """Sleep in a child process, and never ask."""
    time.sleep(params.seconds)
    return Slept(pid=os.getpid())


class Count(BaseModel):
    """How far to count, and how long to rest after each number."""

    to: int
    seconds: float


@job("sample.counting", timeout=600)
def counting(context: JobContext, params: Count) -> Slept:
    """Say one number after the other, until it is enough."""
    for number in range(1, params.to + 1):
        if (get_settings().home / "enough").exists():
            break
        context.progress(number / params.to, "counting", str(number))
        time.sleep(params.seconds)
    return Slept(pid=os.getpid())


@job("sample.storing", timeout=600)
def storing(context: JobContext, params: Sleep) -> Slept:
    """Keep a file."""
    context.store(b"kept by a job", media_type="text/plain", filename="kept.txt")
    time.sleep(params.seconds)
    return Slept(pid=os.getpid())
