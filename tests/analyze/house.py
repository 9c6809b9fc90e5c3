"""What tests of /analyze ask of the application."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests import house
from tests.conftest import MASTER_KEY
from tests.house import refused

__all__ = ["MASTER", "House", "refused"]

MASTER = {"Authorization": f"Bearer {MASTER_KEY}"}


class House(house.House):
    """One application and its runner."""

    def analyze(
        self,
        text: str | None = None,
        *,
        key: dict[str, str] | None = None,
        headers: Any = None,
        query: Any = None,
        **rest: Any,
    ) -> TestResponse:
        """POST /analyze: a text as JSON with the options in `rest`, or, without one, whatever the client takes."""
        if text is not None:
            rest = {"json": {"text": text, **rest}}
        return self.client.post(
            "/analyze", headers={**(self.master if key is None else key), **(headers or {})}, query_string=query, **rest
        )
