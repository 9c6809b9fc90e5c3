"""Every error becomes `application/problem+json`, whoever raised it."""

from __future__ import annotations

from apiflask import HTTPError
from flask import Flask, Response, current_app, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, InternalServerError

from thetool.database.connection import is_unavailable
from thetool.web.json_provider import to_json
from thetool.web.problems import (
    MEDIA_TYPE,
    BadRequest,
    Conflict,
    DatabaseAway,
    Forbidden,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Problem,
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
    ValidationFailed,
)
from thetool.web.request_id import current_request_id

_by_status: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        BadRequest,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        Conflict,
        TooLarge,
        UnsupportedMediaType,
        ValidationFailed,
        TooManyRequests,
        Problem,
    )
}
_locations = {"json": "body", "querystring": "query", "files": "form", "form_and_files": "form", "headers": "header"}
_passed_on = ("Allow", "Retry-After", "WWW-Authenticate", "Content-Range")


def init_app(app: Flask) -> None:
    """Answer every error of `app` with a problem document."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPError, lambda error: answer(_of_apiflask(error)))
    app.register_error_handler(HTTPException, _answer_http_exception)


def answer(problem: Problem) -> Response:
    """Make the response that tells the caller about `problem`."""
    body = to_json(problem.body(current_request_id()))
    return Response(body, problem.status, headers=problem.headers, mimetype=MEDIA_TYPE)


def problem_of(error: BaseException) -> Problem:
    """The problem that an unexpected error is answered with; its own words are never told."""
    return DatabaseAway() if is_unavailable(error) else Problem()


def _answer_http_exception(error: HTTPException) -> Response | HTTPException:
    if error.response is not None:
        return error
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        return answer(problem_of(error.original_exception))
    headers = {name: value for name, value in error.get_headers() if name in _passed_on}
    said = error.description if error.description != type(error).description else None  # Werkzeug's words are for pages
    return answer(_of_status(error.code or 500, said, headers))


def _of_apiflask(error: HTTPError) -> Problem:
    """APIFlask reports wrong input as `{location: {field: [message]}}`, in Pydantic's words: ours are told instead."""
    if isinstance(error.__cause__, ValidationError) and isinstance(error.detail, dict):
        location = str(next(iter(error.detail), "body"))
        return ValidationFailed.of(error.__cause__, _locations.get(location, location), _input_model(error.__cause__))
    if error.status_code == 422 and isinstance(error.detail, dict) and error.detail:
        return ValidationFailed.of_fields(
            ("" if field == "_schema" else str(field), str(message), _locations.get(str(location), str(location)))
            for location, fields in error.detail.items()
            for field, messages in fields.items()
            for message in messages
        )
    return _of_status(error.status_code, error.message, {})


def _input_model(error: ValidationError) -> type[BaseModel] | None:
    """The model of the route's input that did not fit; `title` is all that the error knows of it."""
    view = current_app.view_functions.get(request.endpoint or "")
    spec = getattr(view, "_spec", {})
    models = [spec.get("body"), *(model for model, _ in spec.get("args") or ())]
    return next((model for model in models if isinstance(model, type) and model.__name__ == error.title), None)


def _of_status(status: int, detail: str | None, headers: dict[str, str]) -> Problem:
    known = _by_status.get(status)
    if known is not None:
        return known(detail if status < 500 else None, headers=headers)
    problem = Problem(detail, headers=headers)
    problem.status, problem.code, problem.title = status, f"http_{status}", "The request was refused"
    return problem
