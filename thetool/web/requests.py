"""What we read of a request: JSON and forms, with a problem for whatever cannot be read."""

from __future__ import annotations

from typing import IO, Any, NoReturn

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser

from thetool.web.problems import UnsupportedMediaType, ValidationFailed


class StrictFormParser(FormDataParser):
    """Werkzeug's parser answers a broken form with an empty one; here it is a problem."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]:
        """Parse a form as Werkzeug does; raises ValidationFailed when it is broken or cut off."""
        self.silent = False
        try:
            return super().parse(stream, mimetype, content_length, options)
        except ValueError as error:
            raise ValidationFailed.of_fields([("", f"the form cannot be read: {error}", "form")]) from error


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
        return super().get_json(force=False, silent=silent, cache=cache)

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        """Raise the problem for JSON that is not declared (None) or not readable."""
        if e is None:
            raise UnsupportedMediaType(f"Send JSON with Content-Type: application/json, not {self.mimetype or 'none'}")
        raise ValidationFailed.of_fields([("", f"not valid JSON: {e}", "body")]) from e
