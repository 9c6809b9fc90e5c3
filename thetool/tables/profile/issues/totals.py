"""Rows of totals that stand in the table as if they were data."""

from __future__ import annotations

import re

import polars as pl

from thetool.tables.profile.issue_schemas import Example, Issue
from thetool.tables.profile.issues.mending import mend
from thetool.tables.profile.issues.of_columns import quoted, said
from thetool.tables.profile.source import ROW
from thetool.tables.profile.texts import shown

_total = re.compile(
    r"(?i)\W*(?:grand |sub[- ]?|overall )?"
    r"(?:totals?|sum|average|mean|count|gesamt|gesamtsumme|summe|mittelwert|zwischensumme|somme|moyenne|totale|suma|razem)"
    r"(?: (?:rows|records|amount|of .{1,40}))?\W*"
)
_MOSTLY_EMPTY = 0.3
TAIL = 5


def total_rows(last: pl.DataFrame, rows: int) -> list[Issue]:
    """Of the last rows, those whose first text is a word for a total and that are partly empty."""
    found: list[Example] = []
    for number, row in enumerate(last.iter_rows(named=True), rows - last.height + 1):
        filled = [(name, value) for name, value in row.items() if value is not None and str(value).strip()]
        if len(row) < 2 or not filled or len(row) - len(filled) < _MOSTLY_EMPTY * len(row):
            continue
        name, first = filled[0]
        if isinstance(first, str) and _total.fullmatch(first):
            found.append(Example(row=number, column=name, value=shown(first)))
    if not found:
        return []
    condition = {"column": ROW, "operator": "in", "value": [example.row for example in found]}
    return [
        Issue(
            code="footer_rows",
            severity="critical",
            columns=[],
            rows=len(found),
            share=len(found) / rows,
            example=found[0],
            message=f"{said(len(found), 'row', 'rows')} at the end may be totals, no data: {quoted(found[0].value)}.",
            mend=mend("filter_rows", "Leave these rows out.", conditions=[condition], keep=False),
        )
    ]
