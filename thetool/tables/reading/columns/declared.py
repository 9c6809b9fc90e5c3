"""Columns whose type the file declares, from the text that was made of them."""

from __future__ import annotations

import polars as pl

from thetool.tables.reading.columns.decision import Asking, Decision
from thetool.tables.reading.report import ColumnType

_MOMENT = "%Y-%m-%d %H:%M:%S%.6f"


def decide(column: pl.Expr, values: int, kind: ColumnType) -> Asking:
    """Take the file's word; what does not fit (a whole number beyond 64 bits) is counted."""

    def value(one: pl.Expr) -> pl.Expr:
        return _value(one, kind)

    counts = yield {"fits": value(column).is_not_null(), "zoned": column.str.ends_with("Z")}
    zoned = kind is ColumnType.DATETIME and counts["zoned"] > 0
    reason = "The file declares it." + (" Times are told in UTC." if zoned else "")
    chosen = (lambda one: value(one).dt.replace_time_zone("UTC")) if zoned else value
    return Decision(kind, reason, chosen, values=values, fits=counts["fits"])


def _value(text: pl.Expr, kind: ColumnType) -> pl.Expr:
    match kind:
        case ColumnType.INTEGER:
            return text.cast(pl.Int64, strict=False)
        case ColumnType.NUMBER:
            return text.cast(pl.Float64, strict=False)
        case ColumnType.BOOLEAN:
            return text == "true"
        case ColumnType.DATE:
            return text.str.to_date("%Y-%m-%d", strict=False)
        case ColumnType.DATETIME:
            return text.str.strip_suffix("Z").str.to_datetime(_MOMENT, strict=False, time_unit="us")
        case ColumnType.TIME:
            return text.str.to_time("%H:%M:%S%.f", strict=False)
        case ColumnType.TEXT:
            return text
