"""Issues of a column of any type, of numbers and of dates, from what was counted of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from thetool.tables.profile.issue_schemas import Example, Issue, IssueCode, Mend, Reread, Severity
from thetool.tables.profile.issues.mending import mend
from thetool.tables.profile.schemas import ColumnProfile
from thetool.tables.profile.texts import shown
from thetool.tables.reading.report import ReadColumn

FirstRow = Callable[[str, list[str]], Example | None]
"""Finds the first row in which a column has one of some texts."""
_SEEN = {"\t": "⇥", "\n": "⏎"}
MANY_MISSING = 0.5
MOST_MISSING = 0.95


def issue(
    code: IssueCode,
    severity: Severity,
    column: str,
    rows: int,
    of: int,
    message: str,
    example: Example | None = None,
    mending: Mend | None = None,
    reread: Reread | None = None,
) -> Issue:
    """An issue of one column that `rows` of the table's `of` rows have."""
    share = min(1.0, rows / of) if of else 0
    return Issue(
        code=code, severity=severity, columns=[column], rows=rows, share=share, example=example, message=message,
        mend=mending, reread=reread,
    )  # fmt: skip


def read_as(column: str, effect: str, **options: Any) -> Reread:
    """To read one column by these options."""
    return Reread(options={"columns": {column: options}}, effect=effect)


def said(number: int, one: str, many: str) -> str:
    """`1 value is`, `2,000 values are`."""
    return f"1 {one}" if number == 1 else f"{number:,} {many}"


def quoted(value: str) -> str:
    """A value in a sentence, with tabs, ends of lines and control characters to be seen."""
    seen = "".join(
        letter if letter.isprintable() else _SEEN.get(letter, f"\\u{ord(letter):04x}") for letter in value[:60]
    )
    return f"“{seen}{'…' if len(value) > 60 else ''}”"


def of_any(column: ColumnProfile, rows: int, read: ReadColumn | None) -> list[Issue]:
    """What any column may have: nothing in it, the same in each row, gaps, values of another type."""
    name = column.name
    if column.nulls - column.untyped == rows and not column.untyped:
        message = f"{name} has no values."
        mending = mend("remove_columns", f"Remove the column {name}.", columns=[name])
        return [issue("empty_column", "warning", name, rows, rows, message, None, mending)]
    found = []
    if column.untyped and read is not None:
        found.append(_untyped(column, rows, read))
    if column.distinct.count == 1 and rows - column.nulls > 1:
        value = column.top[0].value
        where = "every row" if not column.nulls else "every row that has a value"
        message = f"{name} has {quoted(value)} in {where}."
        example = Example(row=1, column=name, value=value) if not column.nulls else None
        mending = mend("remove_columns", f"Remove the column {name}.", columns=[name])
        found.append(issue("constant_column", "info", name, rows - column.nulls, rows, message, example, mending))
    if column.nulls > column.untyped:
        found.append(_missing(column, rows))
    return found


def _untyped(column: ColumnProfile, rows: int, read: ReadColumn) -> Issue:
    first = min(read.untyped_examples, key=lambda example: example.row, default=None)
    example = Example(row=first.row, column=column.name, value=shown(first.text)) if first else None
    such = f", such as {quoted(first.text)}" if first else ""
    mark = _other_mark(read)
    why = f": {mark}" if mark else ""
    values, kind = said(column.untyped, "value", "values"), column.type.value
    message = (
        f"{values} of {column.name} could not be read as {kind}{such}{why}. "
        f"{'It is' if column.untyped == 1 else 'They are'} left out of the statistics, and kept as text."
    )
    severity: Severity = "critical" if column.untyped > 0.05 * rows else "warning"
    effect = f"Leave the cells of {column.name} empty that are no {kind}."
    mending = mend("change_column_type", effect, column=column.name, to_type=_types[kind], errors="coerce")
    reread = read_as(column.name, f"Read {column.name} as text, each value as it stands.", type="text")
    return issue(
        "untyped_values", severity, column.name, column.untyped, rows, message, example, mending, reread
    )  # fmt: skip


def _other_mark(read: ReadColumn) -> str | None:
    """That all the values shown have the other decimal mark, if they have."""
    texts = [example.text.strip() for example in read.untyped_examples]
    other = {".": ",", ",": "."}.get(read.decimal or "")
    if not other or not texts or not all(re.fullmatch(rf"[-+]?[0-9]+\{other}[0-9]+", text) for text in texts):
        return None
    words = {".": "a point", ",": "a comma"}
    return f"their decimal mark is {words[other]}, that of the others {words[read.decimal or '']}"


_types = {"text": "string", "integer": "integer", "number": "float", "boolean": "boolean"}
_types |= {"date": "datetime", "datetime": "datetime", "time": "string"}


def _missing(column: ColumnProfile, rows: int) -> Issue:
    missing = column.nulls - column.untyped
    share = missing / rows
    message = f"{column.name} is empty in {said(missing, 'row', 'rows')} of {rows:,} ({_percent(share)})."
    name = column.name
    if share >= MOST_MISSING:
        mending = mend("remove_columns", f"Remove the column {name}.", columns=[name])
    elif column.type in ("integer", "number") and column.semantic.type != "identifier":
        mending = mend("fill_blanks", f"Fill the gaps of {name} with its median.", column=name, method="median")
    elif column.type in ("date", "datetime", "time"):
        effect = f"Fill each gap of {name} with the value above it."
        mending = mend("fill_blanks", effect, column=name, method="forward")
    elif column.semantic.type in ("category", "boolean", "country", "country_code", "state", "currency_code"):
        mending = mend("fill_blanks", f"Fill the gaps of {name} with its commonest value.", column=name, method="mode")
    else:
        condition = {"column": name, "operator": "isnull"}
        effect = f"Leave out the rows in which {name} is empty."
        mending = mend("filter_rows", effect, conditions=[condition], keep=False)
    severity: Severity = "warning" if share >= MANY_MISSING else "info"
    return issue("missing_values", severity, column.name, missing, rows, message, None, mending)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %" if share >= 0.001 else "under 0.1 %"


def of_numbers(column: ColumnProfile, rows: int) -> list[Issue]:
    """What a column of numbers may have: outliers."""
    found = column.outliers
    if found is None or not found.count or column.semantic.type in ("identifier", "postal_code", "phone", "year"):
        return []
    first = found.examples[0]
    message = (
        f"{said(found.count, 'value', 'values')} of {column.name}, far from the others "
        f"(below {found.low:,.6g} or above {found.high:,.6g}): {first.value:,.6g}."
    )
    return [
        issue(
            "outliers", "info", column.name, found.count, rows, message,
            Example(row=first.row, column=column.name, value=f"{first.value:.15g}"),
            mend(
                "handle_outliers", f"Mark the rows in which {column.name} is out of these bounds.",
                column=column.name, method="flag", threshold_method="iqr",
            ),
        )
    ]  # fmt: skip


def of_dates(column: ColumnProfile, rows: int, latest_row: int | None, today: str) -> list[Issue]:
    """What a column of dates may have: some in the future. Where most are, they are meant so."""
    said_of = column.dates
    values = rows - column.nulls
    if said_of is None or not said_of.future or latest_row is None:
        return []
    latest = said_of.latest.date().isoformat()
    most = said_of.future > 0.5 * values
    dates = said(said_of.future, "date", "dates")
    message = f"{dates} of {column.name} {'is' if said_of.future == 1 else 'are'} after today, the latest is {latest}."
    condition = {"column": column.name, "operator": "gt", "value": today}
    return [
        issue(
            "future_dates", "info" if most else "warning", column.name, said_of.future, rows, message,
            Example(row=latest_row, column=column.name, value=latest),
            mend("filter_rows", f"Leave out the rows in which {column.name} is after {today}.",
                 conditions=[condition], keep=False),
        )
    ]  # fmt: skip


def of_keys(column: ColumnProfile, rows: int, first_row: FirstRow) -> list[Issue]:
    """What a column of keys may have: some that come twice. Where many do, they point to another table."""
    values = rows - column.nulls
    extra = values - column.distinct.count
    if (
        column.semantic.type not in ("identifier", "uuid")
        or not column.distinct.exact
        or not 0 < extra <= 0.05 * values
    ):
        return []
    again = column.top[0]
    message = (
        f"{column.name} looks like a key, but {said(extra, 'row repeats', 'rows repeat')} an earlier one's; "
        f"{quoted(again.value)} comes {again.count:,} times."
    )
    effect = f"Mark the rows that repeat a key in a new column, {column.name}_repeated."
    mending = mend("is_duplicate", effect, subset=[column.name], keep="first", new_column=f"{column.name}_repeated")
    return [
        issue(
            "repeated_keys",
            "warning",
            column.name,
            extra,
            rows,
            message,
            first_row(column.name, [again.value]),
            mending,
        )
    ]
