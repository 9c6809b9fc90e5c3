"""One attempt at a thread job: parameters in, handler, result out."""

from __future__ import annotations

from pydantic import ValidationError

from thetool.jobs.active import Running
from thetool.jobs.context import Interrupted
from thetool.jobs.failure import failure_of, invalid_params
from thetool.jobs.outcome import Outcome
from thetool.jobs.registry import JobKind
from thetool.jobs.results import completed


def run_here(kind: JobKind, running: Running) -> Outcome:
    """Run the handler in this thread; whatever it raises becomes the outcome."""
    try:
        params = kind.params_model.model_validate_json(running.claim.params)
    except ValidationError as error:
        return invalid_params(error)
    try:
        return completed(kind, running.context, kind.handler(running.context, params))
    except Interrupted as interruption:
        return type(interruption)
    except BaseException as error:
        return failure_of(error)
