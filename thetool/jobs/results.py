"""What a handler gave back, made ready to be stored. Used by the worker and by its children, so it imports little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from thetool.jobs.context import JobContext
from thetool.jobs.failure import Failure
from thetool.jobs.payload import NotStorable, TooLargeToStore, to_json_text
from thetool.jobs.registry import JobKind


@dataclass(frozen=True, slots=True)
class Completed:
    """The result as JSON text; `callbacks` belong into the transaction that stores it."""

    result: str
    callbacks: tuple[Callable[[Any], None], ...] = ()


def completed(kind: JobKind, context: JobContext, result: BaseModel) -> Completed | Failure:
    """The outcome of a handler that returned: its result as JSON, and what belongs into the same transaction."""
    if not isinstance(result, kind.result_model):
        wrong = f"The handler gave {type(result).__name__} where {kind.result_model.__name__} was promised."
        return Failure("invalid_result", wrong)
    try:
        text = to_json_text(result)
    except TooLargeToStore as error:
        return Failure("result_too_large", f"The result cannot be stored. {error}")
    except NotStorable as error:
        return unstorable(f"The result cannot be stored. {error}")
    return Completed(text, (*context.finish_callbacks, *_hook(kind, context, result)))


def unstorable(why: str) -> Failure:
    """The error of a job whose result Postgres does not take."""
    return Failure("result_not_storable", why).bounded()


def _hook(kind: JobKind, context: JobContext, result: BaseModel) -> tuple[Callable[[Any], None], ...]:
    hook = kind.on_finish
    return () if hook is None else (lambda cursor: hook(cursor, context, result),)
