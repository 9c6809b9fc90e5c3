"""Which kinds of job there are, and the function that does each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from pydantic import BaseModel

from thetool.config import Settings
from thetool.jobs.context import JobContext
from thetool.web.problems import Problem

Params = TypeVar("Params", bound=BaseModel)
Result = TypeVar("Result", bound=BaseModel)
Handler = Callable[[JobContext, Params], Result]
FinishHook = Callable[[Any, JobContext, Any], None]

Rate = tuple[int, float]
"""So many in so many seconds."""
Able = Callable[[Settings], bool]
"""Whether this process, with these settings, can run a kind just now."""
Runs = Literal["thread", "process", "network", "housekeeping"]

DEFAULT_MEMORY_MB = 1024
DEFAULT_DISK_MB = 2048
MAX_TIMEOUT_SECONDS = 86_400
MAX_KEEP_SECONDS = 366 * 86_400
MAX_RATE = 1000
MAX_ATTEMPTS = 1000


class TransientError(Exception):
    """Raised by a handler whose job may well succeed later: it is tried again after a while, up to `max_attempts`.

    Args:
        message: what went wrong, readable by the job's owner.
        retry_after: seconds to wait at least, such as another service's `Retry-After`.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(RuntimeError):  # noqa: N818  reads as a sentence where it is raised
    """Raised in a child process when the worker could not do what the job asked of it; `code` is the worker's."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownKind(Problem):
    """No room of this version has registered such a kind of job."""

    status = 422
    code = "unknown_kind"
    title = "There is no such kind of job"


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: its name, its handler, and how it is run. `module` is what a child process imports to find it."""

    name: str
    handler: Callable[[JobContext, Any], BaseModel]
    params_model: type[BaseModel]
    result_model: type[BaseModel]
    queue: str
    runs: Runs
    timeout: float
    max_attempts: int
    memory_mb: int
    disk_mb: int
    on_finish: FinishHook | None
    expires_in: float | None
    concurrency: int | None
    rate: Rate | None
    able: Able | None
    module: str


_kinds: dict[str, JobKind] = {}


def job(
    kind: str,
    *,
    queue: str = "cpu",
    runs: Runs = "thread",
    timeout: float = 300,
    max_attempts: int = 3,
    memory_mb: int = DEFAULT_MEMORY_MB,
    disk_mb: int = DEFAULT_DISK_MB,
    on_finish: FinishHook | None = None,
    expires_in: float | None = None,
    concurrency: int | None = None,
    rate: Rate | None = None,
    able: Able | None = None,
) -> Callable[[Handler[Params, Result]], Handler[Params, Result]]:
    """Make a function the handler of a kind of job; it stays an ordinary function.

    Args:
        kind: `room.verb`, such as `analyze.text`.
        queue: `cpu` or `gpu`; a worker takes jobs only of the queues that it serves.
        runs: `thread` for what is short or releases the interpreter's lock, `process` for what must be killed to stop,
            may eat memory, or reads hostile input, `network` for what mostly waits for another service: its threads
            are more, and apart, so that a slow service takes no slot of what computes; `housekeeping` for what the
            service does by itself: one slot of each worker.
        timeout: seconds of one attempt.
        max_attempts: how often a job is tried when it raises `TransientError`, or its worker dies.
        memory_mb: MiB that a `process` job may hold, the processes that it starts included.
        disk_mb: MiB that its files may take on the disk.
        on_finish: called as `(cursor, context, result)` in the transaction that completes the job, in the worker
            itself, for a `process` job too. For a thread job `context.on_finish` does the same.
        expires_in: seconds that a job and its result are kept after its end; None is `JOB_RETENTION_DAYS`.
        concurrency: how many jobs of this kind run at a time, in all processes together; a submit may name a narrower
            `concurrency_key` than the kind.
        rate: how many may begin within how many seconds, such as `(10, 60)`; a submit may name a narrower `rate_key`.
        able: whether this process can run it just now (packages, weights); asked every second of kinds of the queue
            `gpu`, where a worker offers only those. It must not import what is heavy.

    Raises:
        TypeError: the handler is not `(context, params: Model) -> Model`.
        ValueError: the kind is taken by another function, or an argument is out of bounds.
    """

    def register(handler: Handler[Params, Result]) -> Handler[Params, Result]:
        _check_bounds(kind, queue, runs, timeout, max_attempts, memory_mb, disk_mb)
        if expires_in is not None:
            check_keep(expires_in)
        check_limits(concurrency, rate)
        params_model, result_model = _models(handler)
        if runs == "process" and handler.__module__ == "__main__":
            raise ValueError(f"{kind}: a child process cannot import a handler out of __main__; move it to a module")
        _register(
            JobKind(
                name=kind,
                handler=handler,
                params_model=params_model,
                result_model=result_model,
                queue=queue,
                runs=runs,
                timeout=timeout,
                max_attempts=max_attempts,
                memory_mb=memory_mb,
                disk_mb=disk_mb,
                on_finish=on_finish,
                expires_in=expires_in,
                concurrency=concurrency,
                rate=rate,
                able=able,
                module=handler.__module__,
            )
        )
        return handler

    return register


def get_kind(name: str) -> JobKind:
    """The kind of this name.

    Raises:
        UnknownKind: nobody registered it in this process.
    """
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"There is no kind of job named {name[:100]!r}.") from None


def kinds() -> tuple[JobKind, ...]:
    """All kinds that this process knows, in the order in which they were registered."""
    return tuple(_kinds.values())


def check_timeout(seconds: float) -> float:
    """The same number of seconds; ValueError unless it is positive and at most a day."""
    if not 0 < seconds <= MAX_TIMEOUT_SECONDS:
        raise ValueError(f"a timeout is more than 0 and at most {MAX_TIMEOUT_SECONDS:,} seconds, not {seconds}")
    return seconds


def check_attempts(number: int) -> int:
    """The same number; ValueError unless it is 1 to 1,000."""
    if not 1 <= number <= MAX_ATTEMPTS:
        raise ValueError(f"a job is tried 1 to {MAX_ATTEMPTS:,} times, not {number}")
    return number


def check_keep(seconds: float) -> float:
    """The same number of seconds; ValueError unless it is positive and at most a year."""
    if not 0 < seconds <= MAX_KEEP_SECONDS:
        raise ValueError(f"a job is kept for more than 0 and at most {MAX_KEEP_SECONDS:,} seconds, not {seconds}")
    return seconds


def check_limits(concurrency: int | None, rate: Rate | None) -> None:
    """ValueError unless the limits make sense: at least one at a time, at most 1,000 in at most a day."""
    if concurrency is not None and concurrency < 1:
        raise ValueError(f"at least one job runs at a time, not {concurrency}")
    if rate is not None and not (1 <= rate[0] <= MAX_RATE and 0 < rate[1] <= MAX_TIMEOUT_SECONDS):
        raise ValueError(f"a rate is 1 to {MAX_RATE:,} jobs in at most {MAX_TIMEOUT_SECONDS:,} seconds, not {rate}")


def _register(kind: JobKind) -> None:
    known = _kinds.get(kind.name)
    if known is not None and (known.module, known.handler.__qualname__) != (kind.module, kind.handler.__qualname__):
        raise ValueError(f"{kind.name}: already registered by {known.module}.{known.handler.__qualname__}")
    _kinds[kind.name] = kind


def _check_bounds(
    kind: str, queue: str, runs: str, timeout: float, max_attempts: int, memory_mb: int, disk_mb: int
) -> None:
    room, _, verb = kind.partition(".")
    if not (room.isidentifier() and verb.replace(".", "_").isidentifier()):
        raise ValueError(f"{kind!r}: a kind is named room.verb")
    if queue not in {"cpu", "gpu"} or runs not in get_args(Runs):
        raise ValueError(f"{kind}: the queue is cpu or gpu, and it runs as one of {', '.join(get_args(Runs))}")
    check_timeout(timeout)
    if min(max_attempts, memory_mb, disk_mb) < 1:
        raise ValueError(f"{kind}: max_attempts, memory_mb and disk_mb are positive")


def _models(handler: Callable[..., Any]) -> tuple[type[BaseModel], type[BaseModel]]:
    hints = get_type_hints(handler)
    result = hints.pop("return", None)
    models = [hint for name, hint in hints.items() if name != "context"]
    if len(models) != 1 or not _is_model(models[0]) or not _is_model(result):
        raise TypeError(f"{handler.__qualname__}: a handler is (context, params: Model) -> Model, both Pydantic models")
    return models[0], result


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)
