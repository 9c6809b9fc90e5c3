"""Lists in pages: `?limit=&cursor=`, newest first, with `next` in the body and a `Link` header (RFC 8288).

A cursor says of which list it is and after which row it goes on. It is not signed: it holds nothing that a caller may
not know, and every list filters by owner whatever the cursor says.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import orjson
from flask import Response, after_this_request, request
from pydantic import Field

from thetool.web.links import absolute_url
from thetool.web.problems import ValidationFailed
from thetool.web.schemas import Input

Row = TypeVar("Row")
Position = TypeVar("Position")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class PageQuery(Input):
    """The query of a list; subclass it to add filters."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Rows of a page.")
    cursor: str | None = Field(None, max_length=512, description="Where the page before ended; from its `next`.")

    def after(self, name: str, parse: Callable[[str], Position]) -> Position | None:
        """The position that the list `name` goes on after, or None at its start.

        Args:
            name: the list's name; a cursor of another list is refused.
            parse: reads the position, such as `UUID`; its ValueError means that the cursor is wrong.

        Raises:
            ValidationFailed: the cursor is of another list, or not one of ours.
        """
        if self.cursor is None:
            return None
        try:
            of, position = orjson.loads(urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)))
            if of == name and isinstance(position, str):
                return parse(position)
        except (ValueError, TypeError):
            pass
        raise ValidationFailed.of_fields([("cursor", "is not a cursor of this list", "query")])


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, and the address of the next one (None on the last)."""

    items: Sequence[Row]
    next: str | None


def page_of(
    name: str,
    rows: Sequence[Row],
    query: PageQuery,
    *,
    position: Callable[[Row], Any] = lambda row: row.id,  # type: ignore[attr-defined]
) -> Page[Row]:
    """Cut `rows` to a page and give the answer its `Link` header.

    Args:
        name: the list's name, as in `query.after(name, ...)`.
        rows: up to `query.limit + 1` rows after the cursor: the last tells that there is a next page.
        query: the request's query.
        position: what the list goes on after, of a row; `str()` of it goes into the cursor.
    """
    items = rows[: query.limit]
    if len(rows) <= query.limit:
        return Page(items, None)
    cursor = urlsafe_b64encode(orjson.dumps([name, str(position(items[-1]))])).decode().rstrip("=")
    others = [(key, value) for key, value in request.args.items(multi=True) if key != "cursor"]
    address = absolute_url(f"{request.path}?{urlencode([*others, ('cursor', cursor)])}")

    @after_this_request
    def link(response: Response) -> Response:
        response.headers.add("Link", f'<{address}>; rel="next"')
        return response

    return Page(items, address)
