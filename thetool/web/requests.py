"""What we read of a request: JSON and forms, with a problem for whatever cannot be read."""

from __future__ import annotations

from typing import IO, Any, NoReturn

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser

from thetool.web.problems import UnsupportedMediaType, ValidationFailed

# Postgres keeps no such character in text, so a value that holds it would fail at some later and worse place.
NO_NUL = "must not contain the character U+0000"


def refuse_nul_in_query(query: str) -> None:
    """Raise ValidationFailed when the query string holds the character U+0000, percent-encoded or as it is."""
    if "%00" in query or "\0" in query:
        raise ValidationFailed.of_fields([("", NO_NUL, "query")])


class StrictFormParser(FormDataParser):
    """Werkzeug's parser answers a broken form with an empty one; here it is a problem."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]:
        """Parse a form as Werkzeug does; raises ValidationFailed when it is broken or cut off."""
        self.silent = False
        try:
            rest, fields, files = super().parse(stream, mimetype, content_length, options)
        except ValueError as error:
            raise ValidationFailed.of_fields([("", f"the form cannot be read: {error}", "form")]) from error
        for name, value in fields.items(multi=True):
            if "\0" in name or "\0" in value:
                raise ValidationFailed.of_fields([(name, NO_NUL, "form")])
        return rest, fields, files


class ApiRequest(Request):
    """A request whose JSON must be declared as JSON, and whose broken bodies are problems."""

    form_data_parser_class = StrictFormParser

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Parse the body as JSON.

        `force` is ignored: a browser may send `text/plain` from a foreign page without asking first, so a body that
        is not declared as JSON is never taken for it.

        Raises:
            UnsupportedMediaType: the Content-Type is not JSON.
            ValidationFailed: it is not JSON, or is nested too deeply.
        """
        value = super().get_json(force=False, silent=silent, cache=cache)
        if b"\\u0000" in self.get_data() and _holds_nul(value):
            raise ValidationFailed.of_fields([("", NO_NUL, "body")])
        return value

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        """Raise the problem for JSON that is not declared (None) or not readable."""
        if e is None:
            raise UnsupportedMediaType(f"Send JSON with Content-Type: application/json, not {self.mimetype or 'none'}")
        raise ValidationFailed.of_fields([("", f"not valid JSON: {e}", "body")]) from e


def _holds_nul(value: Any) -> bool:
    """Whether a string in there holds U+0000; the text `\\u0000`, with its own backslash, does not."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if "\0" in part:
                return True
        elif isinstance(part, dict):
            waiting += part.keys()
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False
