"""Whether a column holds numbers, which, and in whose writing."""

from __future__ import annotations

import re

import polars as pl

from thetool.tables.reading.columns import numbers
from thetool.tables.reading.columns.decision import ENOUGH, Asking, Counts, Decision, Question, share_told, text
from thetool.tables.reading.columns.shapes import Look
from thetool.tables.reading.report import ColumnType

_CODE = re.compile(
    r"(^|[_\s-])(zip|zip ?code|plz|postal|postal ?code|post ?code|postleitzahl|phone|tel|telephone|telefon|mobile|mobil"
    r"|handy|fax|iban|bic|blz|ssn|isbn|ean|gtin|upc|vat|imei)([_\s.-]|$)",
    re.I,
)
_SEPARATORS = {",": ",", ".": ".", "'": "['’]", " ": "[ \u00a0\u202f]"}
_MARKS = {".": "a decimal point", ",": "a decimal comma"}


def decide(question: Question) -> Asking:
    """Decide on a column that mostly looks like numbers."""
    look, values, column = question.look, question.values, question.column
    free = question.asked is None
    plain = look.written == look.codes == look.nulls == 0 and not _three_places(look)
    if free and plain and question.decimal is None:
        if look.whole and look.integers + look.decimals == values:
            return _plain(question)
        pattern = numbers.DECIMAL if look.decimals else numbers.INTEGER
        counts = yield {"plain": column.str.contains(rf"^{pattern}$")}
        if counts["plain"] == values:
            return _plain(question)
    if free and look.careful:
        counts = yield _careful(question)
        if kept := _kept_as_text(counts, values):
            return kept
    counts = yield {**_careful(question), **_everything(column)}
    if free and (kept := _kept_as_text(counts, values)):
        return kept
    chosen = _choose(question, counts)
    if chosen.type is ColumnType.INTEGER and (chosen.asked or chosen.thousands):
        counts = yield {"fits": chosen.value(column).is_not_null()}
        if beyond := chosen.fits - counts["fits"]:  # the pattern does not know how large a number is
            chosen.fits = counts["fits"]
            chosen.reason += f" {beyond:,} of them are beyond 64 bits."
    return _as_code(question) if free and chosen.type is ColumnType.INTEGER and _is_code(question) else chosen


def _three_places(look: Look) -> bool:
    """Whether all that looks like decimals may be thousands: `1.234`."""
    decimals = [value for value in look.distinct if "." in value]
    return bool(decimals) and all(re.fullmatch(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", value) for value in decimals)


def _plain(question: Question) -> Decision:
    values = question.values
    if question.look.decimals:
        told = share_told(values, values, "numbers with a decimal point")
        return Decision(
            ColumnType.NUMBER, told, lambda one: numbers.plain(one, pl.Float64), values=values, fits=values, decimal="."
        )
    if _is_code(question):
        return _as_code(question)
    told = share_told(values, values, "whole numbers")
    return Decision(ColumnType.INTEGER, told, lambda one: numbers.plain(one, pl.Int64), values=values, fits=values)


def _is_code(question: Question) -> bool:
    digits = all(len(value) >= 4 and value.isdigit() for value in question.look.distinct)
    return digits and bool(_CODE.search(question.name))


def _as_code(question: Question) -> Decision:
    return text(f"By its name ({question.name}) its digits are a code, not an amount.", question.values)


def _careful(question: Question) -> dict[str, pl.Expr]:
    """What speaks against numbers, although the digits would make one."""
    column = question.column
    return {
        "zeros": column.str.contains(numbers.LEADING_ZERO),
        "long": column.str.contains(numbers.LONG),
        "plus": column.str.contains(numbers.WITH_PLUS),
        "nulls": question.is_nothing(),
    }


def _everything(column: pl.Expr) -> dict[str, pl.Expr]:
    asks = {
        "percent": column.str.contains(numbers.PERCENT),
        "signs": column.str.contains(numbers.CURRENCY),
    }
    for mark in ".,":
        fits = column.str.contains(numbers.anchored(numbers.pattern(mark)))
        asks[mark] = fits
        asks[f"{mark} decimals"] = fits & column.str.contains(numbers.has_decimals(mark))
    for separator, pattern in _SEPARATORS.items():
        asks[f"group {separator}"] = column.str.contains(rf"[0-9]{pattern}[0-9]{{3}}(?:[^0-9]|$)")
    return asks


def _kept_as_text(counts: Counts, values: int) -> Decision | None:
    real = values - counts["nulls"]
    fits = max(counts["."], counts[","]) if "." in counts else real
    if fits < real * ENOUGH and counts["plus"] < real / 2:
        return text(f"Mixed: only {fits:,} of {real:,} values are numbers.", values)
    if counts["zeros"]:
        return text(f"{counts['zeros']:,} of {real:,} values begin with a zero, which a number would lose.", values)
    if counts["plus"]:
        return text(f"{counts['plus']:,} of {real:,} values are written like phone numbers, with a plus.", values)
    if counts["long"]:
        return text(
            f"{counts['long']:,} of {real:,} values have 16 digits or more: numbers of accounts or the like.", values
        )
    return None


def _choose(question: Question, counts: Counts) -> Decision:
    real = question.values - counts["nulls"]
    point, comma = counts["."], counts[","]
    if question.decimal is not None:
        return _written(question, question.decimal, counts, "It was asked for.")
    if point != comma:
        return _written(question, "." if point > comma else ",", counts)
    if not counts[". decimals"] and not counts[", decimals"]:
        return _written(question, ".", counts)
    all_of_them = "Its one value" if real == 1 else f"All {real:,} values"
    told = f"{all_of_them} can be read with either decimal mark"
    chosen = _written(question, ".", counts, told)
    chosen.otherwise = _written(question, ",", counts, told)
    return chosen


def _written(question: Question, mark: str, counts: Counts, reason: str | None = None) -> Decision:
    decimals = counts[f"{mark} decimals"]
    kind = question.asked or (ColumnType.NUMBER if decimals else ColumnType.INTEGER)
    dtype = pl.Int64 if kind is ColumnType.INTEGER else pl.Float64
    fits = counts[mark] - (decimals if kind is ColumnType.INTEGER else 0)
    what = f"numbers with {_MARKS[mark]}" if decimals else "whole numbers"
    groups = [one for one in _SEPARATORS if one != mark and counts[f"group {one}"]]
    return Decision(
        kind,
        reason or share_told(fits, question.values - counts["nulls"], what),
        lambda one: numbers.written(one, mark, dtype),
        asked=question.asked is not None,
        nulls=question.nulls,
        values=question.values,
        fits=fits,
        null_words=counts["nulls"],
        decimal=mark if decimals else None,
        thousands=groups,
        percent=counts["percent"] > 0,
        has_signs=counts["signs"] > 0,
    )
