"""The OpenAPI document: what APIFlask makes of the routes, with our problems in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from apiflask import APIFlask
from flask import Blueprint, Response, request
from pydantic import BaseModel

from thetool.config import Settings
from thetool.web.json_provider import to_json
from thetool.web.problems import MEDIA_TYPE, Problem, ProblemDetails
from thetool.web.sections import put_in_order

View = TypeVar("View", bound=Callable[..., Any])
Document = dict[str, Any]

PATH = "/openapi.json"
DESCRIPTION = """Send a text, a photo or a table, get what is in it:

```sh
curl -H "X-API-Key: $KEY" -H "Content-Type: text/plain" --data "I love this sofa." $ADDRESS/analyze
curl -H "X-API-Key: $KEY" -F file=@photo.jpg $ADDRESS/analyze
curl -H "X-API-Key: $KEY" -F file=@sales.csv $ADDRESS/analyze
```

- **Keys** go into `Authorization: Bearer KEY` or `X-API-Key: KEY`; press *Authorize* to try the routes here.
- **Errors** are `application/problem+json` (RFC 9457) with a stable `code`, listed at [/docs/problems](/docs/problems).
- **Waiting**: what is not done within the wait is answered 202 with a `Location` to ask again.
- **Lists** take `limit` and `cursor` and give `next`.
- Every answer has an `X-Request-ID`, which may be sent along; quote it when you ask about one."""
SECURITY_SCHEMES = {
    "BearerAuth": {"type": "http", "scheme": "bearer", "description": "An issued key, or the master key."},
    "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key, in a header."},
}

_ATTRIBUTE = "problems"
_OPERATION = "openapi_operation"
_PARAMETERS = "openapi_parameters"
_EXTENSION = "thetool_openapi"
_METHODS = ("get", "post", "put", "patch", "delete")
_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}


def raises(*problems: type[Problem]) -> Callable[[View], View]:
    """Document that a view may answer with `problems`; write it anywhere beneath the route's decorator."""

    def decorate(view: View) -> View:
        setattr(view, _ATTRIBUTE, tuple(dict.fromkeys((*getattr(view, _ATTRIBUTE, ()), *problems))))
        return view

    return decorate


def described(operation: Document, *models: type[BaseModel]) -> Callable[[View], View]:
    """Document of a view what APIFlask has no words for, such as a body in several media types.

    Args:
        operation: members of its Operation Object; `responses` are added to what is there, others take its place.
        models: models that it refers to, as `#/components/schemas/NAME`.
    """

    def decorate(view: View) -> View:
        setattr(view, _OPERATION, (operation, models))
        return view

    return decorate


def takes(*parameters: Document) -> Callable[[View], View]:
    """Document further parameters of a view, such as headers: Parameter Objects."""

    def decorate(view: View) -> View:
        setattr(view, _PARAMETERS, (*getattr(view, _PARAMETERS, ()), *parameters))
        return view

    return decorate


def init_app(app: APIFlask, settings: Settings) -> None:
    """Describe the API at `/openapi.json`."""
    app.config.update(
        AUTO_SERVERS=False,
        SERVERS=[{"url": settings.public_url or "/"}],
        AUTO_OPERATION_ID=True,
        DESCRIPTION=DESCRIPTION,
        LICENSE={"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0.html"},
        SECURITY_SCHEMES=SECURITY_SCHEMES,
    )
    app.spec_processor(lambda document: _finish(document, app))
    blueprint = Blueprint("openapi_document", __name__)
    blueprint.add_url_rule(PATH, "document", lambda: _answer(app))
    app.register_blueprint(blueprint)


def _finish(document: Any, app: APIFlask) -> Any:
    """Put our problems into the document, in place of APIFlask's own errors."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPError", None)
    schemas.pop("ValidationError", None)
    schemas.update(_problem_schemas())
    views = dict(_views(app))
    seen: set[str] = set()
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                view = views.get((path, method))
                _describe_further(operation, schemas, *getattr(view, _OPERATION, ({}, ())))
                if further := getattr(view, _PARAMETERS, ()):
                    operation["parameters"] = [*operation.get("parameters", ()), *further]
                _describe_problems(operation, getattr(view, _ATTRIBUTE, ()))
                _lift_descriptions(operation.get("parameters", []))
                _make_id_unique(operation, seen)
    put_in_order(document)
    return document


def _describe_problems(operation: Document, declared: tuple[type[Problem], ...]) -> None:
    responses = operation.setdefault("responses", {})
    for problem in declared:
        response = responses.setdefault(str(problem.status), {"description": ""})
        words = f"`{problem.code}`: {problem.title}"
        others = response["description"] if response.get("documented") else ""
        response["description"] = f"{others}. {words}" if others else words
        response["documented"] = True
    for status, response in responses.items():
        response.pop("documented", None)
        if status >= "400":
            response["content"] = {MEDIA_TYPE: {"schema": _SCHEMA}}
    responses["default"] = {"description": "Any other problem.", "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}


def _describe_further(
    operation: Document, schemas: Document, members: Document, models: tuple[type[BaseModel], ...]
) -> None:
    operation.update({name: value for name, value in members.items() if name != "responses"})
    for status, response in members.get("responses", {}).items():
        operation.setdefault("responses", {}).setdefault(status, {}).update(response)
    for model in models:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, definition in {**schema.pop("$defs", {}), model.__name__: schema}.items():
            schemas.setdefault(name, definition)


def _views(app: APIFlask) -> Iterator[tuple[tuple[str, str], Callable[..., Any]]]:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<:>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            yield (path, method.lower()), app.view_functions[rule.endpoint]


def _lift_descriptions(parameters: list[Document]) -> None:
    """APIFlask leaves a query field's description in its schema, where readers of the document do not look."""
    for parameter in parameters:
        description = parameter.get("schema", {}).pop("description", None)
        if description:
            parameter.setdefault("description", description)


def _make_id_unique(operation: Document, seen: set[str]) -> None:
    """One view may have several paths (a guide's old name beside ours)."""
    identifier = wanted = operation["operationId"]
    number = 1
    while identifier in seen:
        number += 1
        identifier = f"{wanted}_{number}"
    operation["operationId"] = identifier
    seen.add(identifier)


def _problem_schemas() -> Document:
    schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "ProblemDetails": schema}


def _answer(app: APIFlask) -> Response:
    body = app.extensions.get(_EXTENSION)
    if body is None:  # two threads may both make it once; they make the same
        body = app.extensions[_EXTENSION] = to_json(app.spec)
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response
