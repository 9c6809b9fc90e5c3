"""Issues of a table as a whole: its rows, its names, what was read beside it; and the order of all issues."""

from __future__ import annotations

from typing import get_args

from thetool.tables.profile.issue_schemas import Example, Issue, IssueCode, Reread
from thetool.tables.profile.issues.mending import listed, mend
from thetool.tables.profile.issues.of_columns import quoted, said
from thetool.tables.profile.schemas import ColumnProfile, DuplicateRows
from thetool.tables.reading.report import Reading

_severities = ("critical", "warning", "info")
FEW_GAPS = 0.05
_codes = get_args(IssueCode)


def ordered(issues: list[Issue], names: list[str]) -> list[Issue]:
    """The gravest first; among those the code's place, the rows affected, the column's place."""
    place = {name: at for at, name in enumerate(names)}

    def key(one: Issue) -> tuple[int, int, int, int]:
        at = place.get(one.columns[0], -1) if one.columns else -1
        return _severities.index(one.severity), _codes.index(one.code), -one.rows, at

    return sorted(issues, key=key)


def of_rows(duplicates: DuplicateRows, first: int | None, example: Example | None, rows: int) -> list[Issue]:
    """Rows that come more than once, in a table of more columns than one."""
    if not duplicates.count or first is None:
        return []
    share = duplicates.count / rows
    about = "" if duplicates.exact else "about "
    repeats = said(duplicates.count, "row repeats", "rows repeat")
    return [
        Issue(
            code="duplicate_rows",
            severity="critical" if share > 0.2 else "warning",
            columns=[],
            rows=duplicates.count,
            share=share,
            example=example,
            message=f"{about}{repeats} an earlier one in every column, first in row {first:,}.".capitalize(),
            mend=mend("remove_duplicates", "Remove the repeats; the first of each stays.", keep="first"),
        )
    ]


def of_reading(reading: Reading, rows: int) -> list[Issue]:
    """What the reading found beside the table: a footer, other tables, names that come twice."""
    found = []
    if reading.footer is not None and reading.footer.count:
        first = reading.footer.text[0] if reading.footer.text else ""
        count = reading.footer.count
        message = (
            f"{said(count, 'line', 'lines')} after the table {'was' if count == 1 else 'were'} left out, from line "
            f"{reading.footer.first_line:,}: {quoted(first)}."
        )
        found.append(_whole("footer_rows", "info", [], count, message))
    for other in reading.other_tables:
        message = (
            f"The file has another table, in lines {other.first_line:,} to {other.last_line:,}, which was not read."
        )
        options = {"header_row": other.first_line, "last_row": other.last_line}
        whole = _whole("other_tables", "warning", [], other.last_line - other.first_line, message)
        reread = Reread(options=options, effect="Read that table in place of this one.")
        found.append(whole.model_copy(update={"reread": reread}))
    renamed = {
        column.name: column.original_name
        for column in reading.columns
        if column.original_name and column.name != column.original_name
    }
    if renamed:
        new, old = next(iter(renamed.items()))
        message = f"{said(len(renamed), 'column', 'columns')} got another name, as {quoted(old)} became {quoted(new)}."
        found.append(_whole("duplicate_column_names", "info", list(renamed), 0, message))
    return found


def _whole(code: IssueCode, severity: str, columns: list[str], rows: int, message: str) -> Issue:
    return Issue.model_validate(
        {
            "code": code, "severity": severity, "columns": columns, "rows": rows, "share": 0, "example": None,
            "message": message, "mend": None,
        }
    )  # fmt: skip


def joined(issues: list[Issue], columns: list[ColumnProfile], rows: int) -> list[Issue]:
    """The same issues; where more than one column is empty, one tells of all; so of constant ones, of few gaps."""
    kept = list(issues)
    for code in ("empty_column", "constant_column"):
        same = [one for one in kept if one.code == code]
        if len(same) < 2:
            continue
        names = [name for one in same for name in one.columns]
        words = "have no values" if code == "empty_column" else "have the same value in every row"
        whole = same[0].model_copy(
            update={
                "columns": names,
                "message": f"{len(names):,} columns {words}: {listed(names)}.",
                "mend": mend("remove_columns", f"Remove the columns {listed(names)}.", columns=names),
                "rows": max(one.rows for one in same),
                "example": None,
            }
        )
        kept = [one for one in kept if one.code != code] + [whole]
    return _with_few_gaps(kept, columns, rows)


def _with_few_gaps(issues: list[Issue], columns: list[ColumnProfile], rows: int) -> list[Issue]:
    """The same issues; where more than one column has a few gaps, one issue tells of all."""
    few = [one for one in issues if one.code == "missing_values" and one.share < FEW_GAPS]
    if len(few) < 2:
        return issues
    few.sort(key=lambda one: -one.rows)
    names = [name for one in few for name in one.columns]
    conditions = [{"column": name, "operator": "isnull"} for name in names]
    told = listed([f"{one.columns[0]} ({one.rows:,})" for one in few])
    message = f"{len(few):,} columns are empty in a few rows, each in under {100 * FEW_GAPS:.0f} %: {told}."
    effect = "Leave out the rows in which one of them is empty."
    mending = mend("filter_rows", effect, conditions=conditions, logic="or", keep=False)
    whole = few[0].model_copy(update={"columns": names, "message": message, "mend": mending})
    return [one for one in issues if one not in few] + [whole]


def of_empty_rows(count: int, first: int | None, rows: int) -> list[Issue]:
    """Rows with nothing in any column."""
    if not count or first is None or count == rows:
        return []
    message = f"{said(count, 'row is', 'rows are')} empty, first row {first:,}."
    whole = _whole("empty_rows", "info", [], count, message)
    return [whole.model_copy(update={"share": count / rows})]


def of_same_columns(groups: list[list[str]], rows: int) -> list[Issue]:
    """Columns with the same text in each row."""
    found = []
    for first, *others in groups:
        message = (
            f"{', '.join(others)} {'has' if len(others) == 1 else 'have'} the same values as {first} in every row."
        )
        whole = _whole("duplicate_columns", "info", [first, *others], rows, message)
        mending = mend("remove_columns", f"Remove {listed(others)}.", columns=others)
        found.append(whole.model_copy(update={"share": 1, "mend": mending}))
    return found
