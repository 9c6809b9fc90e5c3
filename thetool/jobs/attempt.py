"""One attempt at a thread job: parameters in, handler, result out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from thetool.jobs.active import Running
from thetool.jobs.context import Interrupted, JobContext
from thetool.jobs.failure import Failure, failure_of, invalid_params
from thetool.jobs.outcome import Completed, Outcome, unstorable
from thetool.jobs.payload import NotStorable, TooLargeToStore, to_json_text
from thetool.jobs.registry import JobKind


def run_here(kind: JobKind, running: Running) -> Outcome:
    """Run the handler in this thread; whatever it raises becomes the outcome."""
    context = running.context
    try:
        params = kind.params_model.model_validate_json(running.claim.params)
    except ValidationError as error:
        return invalid_params(error)
    try:
        result = kind.handler(context, params)
    except Interrupted as interruption:
        return type(interruption)
    except BaseException as error:
        return failure_of(error)
    return storable(kind, context, result)


def storable(kind: JobKind, context: JobContext, result: BaseModel) -> Outcome:
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


def _hook(kind: JobKind, context: JobContext, result: BaseModel) -> tuple[Callable[[Any], None], ...]:
    hook = kind.on_finish
    return () if hook is None else (lambda cursor: hook(cursor, context, result),)
