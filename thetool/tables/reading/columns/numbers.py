"""Numbers as people write them: signs, thousands, either decimal mark, per cent, currencies.

The patterns are written so that Python's `re` and Rust's `regex` (Polars) read them alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_BLANK = "[ \u00a0\u202f]"
CURRENCY = (
    r"(?:[$€£¥₹₽₩₺₫₪₴฿]|R\$|US\$|CA\$|A\$|USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|"
    r"RUB|UAH|BRL|MXN|ZAR|SGD|HKD|KRW|THB|ILS|AED|SAR|kr\.?|zł|Kč|Ft|Fr\.?|€uro|Euro|euro)"
)
_GROUPS = {".": "[,'’ \u00a0\u202f]", ",": "[.'’ \u00a0\u202f]"}
INTEGER = r"-?(?:0|[1-9][0-9]{0,14})"
DECIMAL = r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?"
LEADING_ZERO = r"^\s*[-+]?0[0-9]"
LONG = r"^[^0-9.,]*[0-9]{16}"
WITH_PLUS = r"^\s*\+[0-9][0-9 ()/-]{5,}[0-9]\s*$"
PERCENT = r"%\s*$"
_BODY = "((?:[0-9]|[.,][0-9])[0-9.,'’ \u00a0\u202f]*(?:[eE][-+]?[0-9]+)?)"
_NEGATIVE = r"^[^0-9]*[-−(]|-\s*$"


def pattern(decimal: str) -> str:
    """What a number looks like when `decimal` is its decimal mark; no anchors."""
    group = _GROUPS[decimal]
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+"
    if decimal == ".":
        grouped += r"|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"  # lakhs and crores
    mark = rf"\{decimal}"
    body = rf"(?:(?:{grouped}|[0-9]+)(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][-+]?[0-9]+)?"
    before = rf"[-+−]?{_BLANK}*{CURRENCY}?{_BLANK}*[-+−]?{_BLANK}*"
    after = rf"{_BLANK}*(?:{CURRENCY}|%)?"
    return rf"(?:{before}{body}{after}-?|\({_BLANK}*{CURRENCY}?{_BLANK}*{body}{after}{_BLANK}*\))"


def has_decimals(decimal: str) -> str:
    """Where a number that fits `pattern(decimal)` has a decimal mark or an exponent (no currency ends with an e)."""
    return rf"\{decimal}[0-9]|[eE][-+]?[0-9]"


def anchored(body: str) -> str:
    """The pattern of a whole value, blanks around it allowed."""
    return rf"^\s*(?:{body})\s*$"


def plain(text: pl.Expr, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    """The value of texts that are all plain numbers."""
    return text.cast(dtype, strict=False)


def written(text: pl.Expr, decimal: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    """The value of a number in any writing; null where it does not fit."""
    import polars as pl

    body = text.str.extract(_BODY, 1).str.replace_all(_GROUPS[decimal], "")
    if decimal == ",":
        body = body.str.replace(",", ".", literal=True)
    value = body.str.strip_chars().cast(dtype, strict=False)
    signed = pl.when(text.str.contains(_NEGATIVE)).then(-value).otherwise(value)
    return pl.when(text.str.contains(anchored(pattern(decimal)))).then(signed)
