"""Problem responses (RFC 9457): what went wrong, in one shape, for every error status.

A room raises a subclass of `Problem` with its own `status`, `code` and `title`; the web layer turns it into
`application/problem+json`. This module imports no Flask, so that any room may raise problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from thetool.web.wrong_input import told

MEDIA_TYPE = "application/problem+json"
DOCUMENTATION_PATH = "/docs/problems"
MAX_REPORTED_ERRORS = 50
MAX_FIELD_CHARACTERS = 200


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An error that the caller is told about; by itself, one that nobody expected.

    Args:
        detail: what went wrong this time, in a sentence for people; never a secret or an internal.
        errors: one `{field, message, location}` for each wrong field.
        headers: headers of the answer, such as `Retry-After`.
        extra: further members of the body (RFC 9457 section 3.2), such as `depth=10000`.
    """

    status: int = 500
    code: str = "internal_error"
    title: str = "Something went wrong here, not with your request"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self, request_id: str) -> dict[str, Any]:
        """The members of the problem document; empty ones are left out."""
        document: dict[str, Any] = {
            "type": f"{DOCUMENTATION_PATH}#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            document["errors"] = self.errors
        return {**document, **self.extra, **document}


class BadRequest(Problem):
    """The request is not HTTP that we can read."""

    status = 400
    code = "bad_request"
    title = "The request cannot be read"


class Forbidden(Problem):
    """The key is known, but may not do this."""

    status = 403
    code = "forbidden"
    title = "The key may not do this"


class NotFound(Problem):
    """There is no such thing, or it belongs to somebody else."""

    status = 404
    code = "not_found"
    title = "There is nothing here"


class MethodNotAllowed(Problem):
    """The path is there, but not for this method; `Allow` names those it has."""

    status = 405
    code = "method_not_allowed"
    title = "This path does not have this method"


class NotAcceptable(Problem):
    """None of the media types that `Accept` asks for can be made."""

    status = 406
    code = "not_acceptable"
    title = "The answer cannot be made in the form that you accept"


class Conflict(Problem):
    """The request contradicts the present state."""

    status = 409
    code = "conflict"
    title = "The request contradicts the present state"


class TooLarge(Problem):
    """The body is larger than this route takes; it was not read."""

    status = 413
    code = "too_large"
    title = "The body is too large"


class UnsupportedMediaType(Problem):
    """The body is of a kind that this route does not take, or contradicts its Content-Type."""

    status = 415
    code = "unsupported_media_type"
    title = "The body is not of a kind that is taken here"


class ValidationFailed(Problem):
    """The request was read and some of it is wrong; `errors` says what and where."""

    status = 422
    code = "validation_error"
    title = "Some of the request is wrong"

    @classmethod
    def of(cls, error: ValidationError, location: str, model: type[BaseModel] | None) -> ValidationFailed:
        """Turn what Pydantic found wrong with outside input into a problem.

        Args:
            error: raised by `model.model_validate(...)`.
            location: where the input came from: `body`, `query`, `form`, `path` or `header`.
            model: names what there is, where a field is not known; None: it is not named.
        """
        return cls.of_fields((field, message, location) for field, message in told(error, model))

    @classmethod
    def of_fields(cls, found: Iterable[tuple[str, str, str]]) -> ValidationFailed:
        """Make the problem from (field, message, location); past `MAX_REPORTED_ERRORS` the rest is counted only."""
        errors = [
            {"field": _short(field), "message": message, "location": location} for field, message, location in found
        ]
        first = errors[0]
        detail = f"{first['field']}: {first['message']}" if first["field"] else str(first["message"])
        if len(errors) > 1:
            detail = f"{detail} (and {len(errors) - 1} more)"
        return cls(detail, errors=errors[:MAX_REPORTED_ERRORS])


def _short(field: str) -> str:
    """A name that came from outside may be as long as a body."""
    return field if len(field) <= MAX_FIELD_CHARACTERS else f"{field[:MAX_FIELD_CHARACTERS]}…"


class TooManyRequests(Problem):
    """The caller asks too often; `Retry-After` says when to ask again."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"


class DatabaseAway(Problem):
    """Postgres cannot be reached just now; nothing was changed."""

    status = 503
    code = "database_unavailable"
    title = "The database cannot be reached just now"

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        super().__init__(detail, headers={"Retry-After": "2", **(headers or {})}, **extra)


class NotReady(Problem):
    """This process cannot serve yet, or no longer."""

    status = 503
    code = "not_ready"
    title = "The service is not ready"


def all_problems() -> list[type[Problem]]:
    """The kinds of problem that the loaded rooms know, by status; of several with one code, the most general."""
    by_code: dict[str, type[Problem]] = {}
    waiting = [Problem]
    for problem in waiting:  # grows while it is read: the general before the special
        by_code.setdefault(problem.code, problem)
        waiting += problem.__subclasses__()
    return sorted(by_code.values(), key=lambda problem: (problem.status, problem.code))


class FieldError(BaseModel):
    """One wrong field of a request."""

    field: str = Field(description="Path of the field, with dots; empty when the whole input is meant.")
    message: str = Field(description="What is wrong with it.")
    location: str = Field(description="`body`, `query`, `form`, `path` or `header`.")


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Where this kind of problem is explained.", examples=["/docs/problems#not_found"])
    title: str = Field(description="The kind of problem, always the same words for one code.")
    status: int = Field(description="The HTTP status again.", ge=400, le=599)
    detail: str = Field(description="What went wrong this time.")
    code: str = Field(description="Stable name of the kind of problem, for programs.", examples=["not_found"])
    request_id: str = Field(description="Quote this when you ask about it.")
    errors: list[FieldError] | None = Field(default=None, description="The wrong fields of the request.")
