"""Columns that can be read in two ways: settled by the others, else guessed, and said to be a guess."""

from __future__ import annotations

from thetool.tables.reading.columns.calendar import SAID
from thetool.tables.reading.columns.decision import Decision
from thetool.tables.reading.report import ReadingNote

_NAMED = 5


def settle(decided: dict[str, Decision], delimiter: str | None) -> None:
    """Let columns that could be read in two ways follow those that could not."""
    sure = [one for one in decided.values() if not one.otherwise]
    marks = {one.decimal for one in sure if one.decimal}
    orders = {one.date_order for one in sure if one.date_order in ("dmy", "mdy")}
    for name, decision in decided.items():
        if decision.otherwise is None:
            continue
        if decision.date_order:
            decided[name] = _dates(decision, decision.otherwise, orders, marks, delimiter)
        else:
            decided[name] = _numbers(decision, decision.otherwise, marks, delimiter)


def _numbers(point: Decision, comma: Decision, marks: set[str], delimiter: str | None) -> Decision:
    if marks == {","}:
        return _because(comma, "; other columns of the file have a decimal comma.")
    if marks == {"."}:
        return _because(point, "; other columns of the file have a decimal point.")
    if not marks and delimiter == ";":
        return _guess(comma, "; the comma is taken for it, because semicolons separate the fields: a guess.")
    return _guess(point, "; the point is taken for it: a guess.")


def _dates(first: Decision, other: Decision, orders: set[str], marks: set[str], delimiter: str | None) -> Decision:
    for one in (first, other):
        if orders == {one.date_order}:
            return _because(one, f" That it is {_said(one)} is seen in other columns of the file.")
    unsaid = " Nothing says whether day or month comes first;"
    if not orders and other.date_order == "dmy":
        if marks == {","}:
            return _guess(other, f"{unsaid} day first is a guess, because other columns have a decimal comma.")
        if not marks and delimiter == ";":
            return _guess(other, f"{unsaid} day first is a guess, because semicolons separate the fields.")
    return _guess(first, f"{unsaid} {_said(first)} is a guess.")


def _said(dates: Decision) -> str:
    return SAID[dates.date_order or "dmy"]


def _because(decision: Decision, why: str) -> Decision:
    decision.reason += why
    return decision


def _guess(decision: Decision, why: str) -> Decision:
    decision.guessed = True
    return _because(decision, why)


def guesses(decided: dict[str, Decision]) -> list[ReadingNote]:
    """What people should look at: columns of which nothing in the file says how to read them."""
    guessed = {name: one for name, one in decided.items() if one.guessed}
    dates = [name for name, one in guessed.items() if one.date_order]
    numbers = [name for name in guessed if name not in dates]
    notes = []
    if numbers:
        told = (
            f"Whether points and commas in {_listed(numbers)} are decimal marks or stand between thousands is a guess"
        )
        told += '; ask for decimal "." or "," when it is wrong.'
        notes.append(ReadingNote(code="guessed_decimal_mark", message=told, count=len(numbers)))
    if dates:
        told = f"Whether day or month comes first in {_listed(dates)} is a guess"
        told += '; ask for date_order "dmy" or "mdy" when it is wrong.'
        notes.append(ReadingNote(code="guessed_date_order", message=told, count=len(dates)))
    return notes


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name[:100]) for name in names[:_NAMED]) + more
