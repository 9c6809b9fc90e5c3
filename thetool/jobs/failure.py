"""How an exception becomes a job's error: a stable code, a readable message, the traceback for the owner."""

from __future__ import annotations

import math
import random
import re
import sys
import traceback
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import ValidationError

from thetool.jobs.payload import clean
from thetool.jobs.registry import TransientError
from thetool.web.problems import Problem

MESSAGE_LIMIT = 10_000
TRACEBACK_LIMIT = 20_000
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 600.0
LONGEST_RETRY_AFTER_SECONDS = 86_400.0
OUT_OF_MEMORY = "It was stopped because it needed more memory than the {:,} MiB that it may hold."
_STATUSES = range(100, 600)

_is_code = re.compile(r"[a-z][a-z0-9_]{0,63}").fullmatch


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt did not succeed. `transient` ones are tried again, no sooner than after `retry_after` seconds.

    `response_status` is what another service answered over HTTP, where that is why.
    """

    code: str
    message: str
    traceback: str | None = None
    transient: bool = False
    retry_after: float = 0.0
    response_status: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The error as the job's row and its snapshots hold it."""
        told = {"code": self.code, "message": self.message, "traceback": self.traceback}
        return told if self.response_status is None else {**told, "response_status": self.response_status}

    def as_json(self) -> str:
        """The same as JSON text."""
        return orjson.dumps(self.as_dict()).decode()

    def bounded(self) -> Failure:
        """The same, cut to what may be stored: a failure told by a child process may hold anything."""
        return replace(
            self,
            code=self.code if _is_code(self.code) else "job_failed",
            message=clean(self.message, MESSAGE_LIMIT) or "It failed without saying why.",
            traceback=None if self.traceback is None else clean(self.traceback, TRACEBACK_LIMIT),
            transient=self.transient is True,
            retry_after=_seconds(self.retry_after),
            response_status=self.response_status if self.response_status in _STATUSES else None,
        )


def failure_of(error: BaseException) -> Failure:
    """What an exception out of a handler means for its job: only what is marked as transient is tried again."""
    transient = isinstance(error, TransientError) or _is_database_away(error)
    return Failure(
        code=_code(error) or ("transient_error" if transient else "job_failed"),
        message=_message(error),
        traceback=None if _is_the_callers_fault(error) else _tail(error),
        transient=transient,
        retry_after=_seconds(getattr(error, "retry_after", None)) if transient else 0.0,
        response_status=getattr(error, "response_status", None) if _is_ours(error) else None,
    ).bounded()


def invalid_params(error: ValidationError) -> Failure:
    """The parameters that were stored are not those of this version's kind."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "params"
    return Failure("invalid_params", f"{where}: {first['msg']}").bounded()


def backoff_seconds(attempt: int, at_least: float = 0.0) -> float:
    """How long to wait after failed attempt number `attempt`: doubling from 1 s to 10 min, less up to half by chance.

    The chance part keeps jobs that failed together from coming back together.
    """
    longest = min(FIRST_RETRY_SECONDS * 2.0 ** min(attempt - 1, 30), LONGEST_RETRY_SECONDS)
    return max(at_least, longest * random.uniform(0.5, 1.0))  # noqa: S311  not a secret


def _is_database_away(error: BaseException) -> bool:
    """Where no driver was loaded (a child has no database, and starts faster so) it cannot have been that."""
    if "psycopg2" not in sys.modules:
        return False
    from thetool.database.connection import is_unavailable

    return is_unavailable(error)


def _seconds(asked: object) -> float:
    """What another service asked for, if it makes sense: no longer than a day."""
    if not isinstance(asked, int | float):
        return 0.0
    bounded = float(min(max(asked, 0), LONGEST_RETRY_AFTER_SECONDS))
    return 0.0 if math.isnan(bounded) else bounded


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        return f"{type(error).__name__}, which cannot say what it is"
    if text and _is_ours(error):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _code(error: BaseException) -> str | None:
    """Our errors have codes; what others call `code` (SystemExit, SQLAlchemy) means something else."""
    code = getattr(error, "code", None)
    return code if isinstance(code, str) and _is_ours(error) else None


def _is_the_callers_fault(error: BaseException) -> bool:
    """What was sent is wrong, and the message says what: where in our code that was seen helps nobody."""
    return isinstance(error, Problem) and error.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _is_ours(error: BaseException) -> bool:
    return isinstance(error, Problem | TransientError) or type(error).__module__.startswith("thetool.")


def _tail(error: BaseException) -> str:
    """The end of the traceback, which is the part that says where."""
    text = "".join(traceback.format_exception(error, limit=-30))
    return text if len(text) <= TRACEBACK_LIMIT else "…" + text[-(TRACEBACK_LIMIT - 1) :]
