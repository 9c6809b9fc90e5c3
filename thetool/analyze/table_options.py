"""What may be asked of a table: how it is read, and how prices are judged. The names are those of the two libraries."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import field_validator

from thetool.tables.market.options import MarketOptions
from thetool.tables.reading.options import ReadOptions


class TableOptions(MarketOptions, ReadOptions):
    """The options of tables; in a query or a form, lists have commas and objects are JSON."""

    @field_validator("columns", mode="before")
    @classmethod
    def _columns(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ValueError(f'must be JSON, such as {{"zip": {{"type": "text"}}}}: {error}') from error

    @field_validator("null_words", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return [word.strip() for word in value.split(",")] if isinstance(value, str) else value

    def reading(self, charset: str | None = None) -> ReadOptions:
        """How the file is to be read; `charset` is what it was declared as, which an encoding outranks."""
        asked = {name: getattr(self, name) for name in ReadOptions.model_fields}
        return ReadOptions.model_validate({**asked, "encoding": self.encoding or charset})

    def market(self) -> MarketOptions:
        """How prices are to be judged."""
        return MarketOptions.model_validate({name: getattr(self, name) for name in MarketOptions.model_fields})
