"""Kinds of jobs that tests run; a real service knows them through tests/e2e/wsgi_with_sample_jobs.py."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import structlog
from pydantic import BaseModel, Field

from thetool.jobs.context import JobContext
from thetool.jobs.registry import TransientError, job

log = structlog.get_logger(__name__)


class Params(BaseModel):
    seconds: float = 0
    text: str = ""
    path: str | None = None
    number: float = 0


class Result(BaseModel):
    text: str = ""
    attempt: int = 0
    number: float | None = None
    values: list[str] = Field(default_factory=list)


@job("sample.noop")
def noop(context: JobContext, params: Params) -> Result:
    """Nothing at all."""
    return Result(text=params.text, attempt=context.attempt)


@job("sample.sleep", max_attempts=3)
def sleep(context: JobContext, params: Params) -> Result:
    """Works for a while, and stops when it is asked to."""
    stop = time.monotonic() + params.seconds
    while time.monotonic() < stop:
        context.checkpoint()
        time.sleep(0.01)
    if params.path:
        with open(params.path, "a") as file:
            file.write(f"{context.job_id} {context.attempt}\n")
    return Result(text=params.text, attempt=context.attempt)


@job("sample.deaf")
def deaf(context: JobContext, params: Params) -> Result:
    """Works for a while, and does not ask whether to stop."""
    time.sleep(params.seconds)
    return Result(text="never stopped", attempt=context.attempt)


@job("sample.steps")
def steps(context: JobContext, params: Params) -> Result:
    """Tells how far it is, four times, `seconds` apart."""
    for step, stage in enumerate(("reading", "thinking", "writing", "checking"), start=1):
        context.progress(step / 5, stage, f"Step {step} of 4…")
        time.sleep(params.seconds)
    log.info("all steps done", text=params.text)
    return Result(attempt=context.attempt)


@job("sample.seldom", concurrency=2, rate=(5, 60))
def seldom(context: JobContext, params: Params) -> Result:
    """Two at a time, five a minute."""
    return Result(attempt=context.attempt)


@job("sample.fail")
def fail(context: JobContext, params: Params) -> Result:
    """Fails for good."""
    raise ValueError(params.text)


@job("sample.transient")
def transient(context: JobContext, params: Params) -> Result:
    """Fails until the attempt whose number is asked for."""
    if context.attempt < params.number:
        raise TransientError("not yet", retry_after=0.01)
    return Result(attempt=context.attempt)


@job("sample.odd")
def odd(context: JobContext, params: Params) -> Result:
    """Gives a result that is hard to store."""
    odd_ones = {
        "nan": Result(number=float("nan")),
        "nul": Result(text="a\0b"),
        "surrogate": Result(text="\ud800"),
        "large": Result(text="x" * (17 * 2**20)),
    }
    return odd_ones[params.text]


def write_text(cursor: object, context: JobContext, result: Result) -> None:
    """Change another table in the transaction that finishes the job."""
    cursor.execute("update owners set name = %s where id = %s", (result.text, context.owner_id))  # type: ignore[attr-defined]


@job("sample.child", runs="process", memory_mb=300)
def child(context: JobContext, params: Params) -> Result:
    """What a child process does: `text` says which."""
    return CHILD_JOBS[params.text](context, params)


@job("sample.child_hook", runs="process", on_finish=write_text)
def child_hook(context: JobContext, params: Params) -> Result:
    """Runs in a child; its result is written by the worker."""
    return Result(text=params.text)


def _echo(context: JobContext, params: Params) -> Result:
    log.info("echo from the child", number=params.number)
    return Result(text=str(os.getpid()), attempt=context.attempt)


def _sleep(context: JobContext, params: Params) -> Result:
    if params.path:
        Path(params.path).write_text(str(os.getpid()))
    time.sleep(params.seconds)
    return Result(text="slept")


def _steps(context: JobContext, params: Params) -> Result:
    for step in range(4):
        context.progress(step / 4, f"step{step}", f"Step {step}")
        time.sleep(params.seconds)
    return Result()


def _fail(context: JobContext, params: Params) -> Result:
    raise ValueError("the child could not")


def _transient(context: JobContext, params: Params) -> Result:
    if context.attempt < 2:
        raise TransientError("the child asks for another try", retry_after=0.01)
    return Result(attempt=context.attempt)


def _eat(context: JobContext, params: Params) -> Result:
    hoard = []
    while True:
        hoard.append(bytearray(os.urandom(1) * 2**24))
        time.sleep(0.01)


def _kill_itself(context: JobContext, params: Params) -> Result:
    print("last words", flush=True)
    os.kill(os.getpid(), 9)
    raise AssertionError


def _exit(context: JobContext, params: Params) -> Result:
    os._exit(3)


def _fork(context: JobContext, params: Params) -> Result:
    """Starts three processes that would live for a minute: forked, run, and in a session of their own."""
    forked = os.fork()
    if forked == 0:
        time.sleep(60)
        os._exit(0)
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    run = subprocess.Popen(sleeper)
    apart = subprocess.Popen(sleeper, start_new_session=True)
    if params.path:
        Path(params.path).write_text(f"{forked} {run.pid} {apart.pid} {os.getpid()}")
    time.sleep(params.seconds)
    return Result(values=[str(forked), str(run.pid), str(apart.pid)])


def _environment(context: JobContext, params: Params) -> Result:
    return Result(values=sorted(f"{name}={value}" for name, value in os.environ.items()))


def _big(context: JobContext, params: Params) -> Result:
    return Result(text="x" * (17 * 2**20))


def _large(context: JobContext, params: Params) -> Result:
    return Result(text="y" * int(params.number))


def _shout(said: bytes) -> Result:
    """Writes to every descriptor that may be the worker's: what a child that was taken over could do."""
    for descriptor in range(3, 1024):
        try:
            os.write(descriptor, said)
        except OSError:
            continue
    time.sleep(10)
    return Result()


def _nonsense(context: JobContext, params: Params) -> Result:
    return _shout(b"\xff" * 100)


def _wrong_words(context: JobContext, params: Params) -> Result:
    """A good frame: a letter, and JSON that is not what belongs to it."""
    said = (params.path or "").encode()
    return _shout(struct.pack("!Ic", len(said) - 1, said[:1]) + said[1:])


def _store(context: JobContext, params: Params) -> Result:
    return Result(text=str(context.store(b"kept" * 10, media_type="text/plain", filename="note.txt")))


CHILD_JOBS = {
    "echo": _echo,
    "sleep": _sleep,
    "steps": _steps,
    "fail": _fail,
    "transient": _transient,
    "eat": _eat,
    "kill": _kill_itself,
    "exit": _exit,
    "fork": _fork,
    "environment": _environment,
    "big": _big,
    "large": _large,
    "nonsense": _nonsense,
    "wrong words": _wrong_words,
    "store": _store,
}
