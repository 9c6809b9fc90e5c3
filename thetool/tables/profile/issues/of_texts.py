"""Issues of a column of text, from the defects of its cells and the spellings of its values."""

from __future__ import annotations

from dataclasses import dataclass

from thetool.tables.profile.issue_schemas import Example, Issue, IssueCode, Mend, Severity
from thetool.tables.profile.issues.cells import CellDefects, Found, repaired
from thetool.tables.profile.issues.mending import mend
from thetool.tables.profile.issues.of_columns import FirstRow, issue, quoted, said
from thetool.tables.profile.issues.spellings import (
    MOST_CATEGORIES,
    MOST_VALUES,
    Spellings,
    by_case,
    similar,
)
from thetool.tables.profile.schemas import ColumnProfile
from thetool.tables.profile.semantics.texts import Fit
from thetool.tables.profile.texts import shown

MANY_GROUPS = 50
_LETTERS = 4
_PATTERN_TYPES = {"email": "email", "phone": "phone", "url": "url", "date": "date", "postal_code": "zipcode"}


@dataclass
class Mixed:
    """A column of text with numbers in it."""

    numbers: int
    others: int
    number: Example
    other: Example


@dataclass
class Evidence:
    """What was found in a column of text."""

    defects: CellDefects
    fit: Fit | None
    mixed: Mixed | None
    counts: dict[str, int] | None


def of_text(column: ColumnProfile, rows: int, evidence: Evidence, first_row: FirstRow) -> list[Issue]:
    """All issues of a column of text."""
    found = [*_cells(column, rows, evidence.defects), *_other_types(column, rows, evidence)]
    if evidence.counts:
        found += _spellings(column, rows, evidence.counts, first_row)
    return found


def _cells(column: ColumnProfile, rows: int, defects: CellDefects) -> list[Issue]:
    name = column.name
    found = []
    for code, defect in defects.found.items():
        if code == "surrounding_junk" and (column.semantic.type == "free_text" or defect.rows > 0.5 * rows):
            continue
        severity, words, mending = _cell_defect(code, name, defect)
        message = f"{said(defect.rows, 'value', 'values')} of {name} {words}: {quoted(defect.value)}."
        example = Example(row=defect.row or 1, column=name, value=shown(defect.value))
        found.append(issue(code, severity, name, defect.rows, rows, message, example, mending))
    return found


def _cell_defect(code: IssueCode, name: str, defect: Found) -> tuple[Severity, str, Mend | None]:
    """How grave it is, what it is in words, what mends it."""
    if code == "surrounding_whitespace":
        return "warning", "with blanks before or after", mend("trim_whitespace", columns=[name], trim_type="both")
    if code == "inner_whitespace":
        return "info", "with two blanks or more inside", mend("trim_whitespace", columns=[name], trim_type="all")
    if code == "control_characters":
        pattern = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff\u00ad]"
        return (
            "warning",
            "with characters that cannot be seen",
            mend("regex_replace", column=name, pattern=pattern, replacement=""),
        )
    if code == "lost_characters":
        return "critical", "with letters that were lost when the file was written or read", None
    if code == "broken_encoding":
        right = repaired(defect.value)
        words = "with letters in a wrong encoding" + (f" (it should be {quoted(right)})" if right else "")
        return "critical", words, mend("repair_encoding", columns=[name])
    if code == "null_words":
        words = ", ".join(quoted(word) for word in list(defect.values)[:5])
        return (
            "warning",
            f"that may stand for nothing ({words})",
            mend("replace_with_null", column=name, values=sorted(defect.values)),
        )
    pattern = r"""^\s*["'`“”„«»;,|*#~\\_=<>]+\s*|\s*["'`“”„«»;,|*#~\\_=<>]+\s*$"""
    return (
        "info",
        "with a mark before or after that hardly belongs to them",
        mend("regex_replace", column=name, pattern=pattern, replacement=""),
    )


def _other_types(column: ColumnProfile, rows: int, evidence: Evidence) -> list[Issue]:
    fit, mixed, name = evidence.fit, evidence.mixed, column.name
    found = []
    if fit is not None and fit.odd is not None:
        wrong = fit.of - fit.rows
        kind = fit.form.type
        message = (
            f"{said(wrong, 'value', 'values')} of {name} unlike the others ({kind.replace('_', ' ')}): "
            f"{quoted(fit.odd.value)}."
        )
        pattern = _PATTERN_TYPES.get(kind)
        mending = (
            mend("validate_pattern", column=name, pattern_type=pattern, new_column=f"{name}_valid") if pattern else None
        )
        example = Example(row=fit.odd.row, column=name, value=shown(fit.odd.value))
        found.append(issue("invalid_values", "warning", name, wrong, rows, message, example, mending))
    if mixed is not None and fit is None:
        fewer, example = min((mixed.numbers, mixed.number), (mixed.others, mixed.other), key=lambda pair: pair[0])
        mostly = mixed.numbers > mixed.others
        message = (
            f"{name} has {said(mixed.numbers, 'number', 'numbers')} and {said(mixed.others, 'text', 'texts')}, such as "
            f"{quoted(mixed.number.value)} and {quoted(mixed.other.value)}."
        )
        mending = mend("change_column_type", column=name, to_type="float", errors="coerce") if mostly else None
        severity: Severity = "critical" if mostly else "warning"
        found.append(issue("mixed_types", severity, name, fewer, rows, message, example, mending))
    return found


def _spellings(column: ColumnProfile, rows: int, counts: dict[str, int], first_row: FirstRow) -> list[Issue]:
    if column.semantic.type in ("free_text", "uuid", "iban", "url", "payment_card") or len(counts) > MOST_VALUES:
        return []
    found = []
    cases = by_case(counts)
    if cases.mapping:
        found.append(_spelled(column, rows, cases, "case_variants", "warning", "only by case", first_row))
    if column.semantic.type == "name":
        found += _written_unlike(column, rows, counts, first_row)
    if len(counts) <= MOST_CATEGORIES and _may_repeat(column, rows):
        words = {value: number for value, number in counts.items() if value.strip()}
        kind = column.semantic.type
        others = similar(words, kind == "country", slips=kind in ("category", "country"))
        if others.mapping:
            found.append(_spelled(column, rows, others, "similar_categories", "info", "by little", first_row))
    return found


def _written_unlike(column: ColumnProfile, rows: int, counts: dict[str, int], first_row: FirstRow) -> list[Issue]:
    """Names in capitals or in small letters alone, where most are not."""
    unlike = [value for value in counts if len(value) >= _LETTERS and (value.isupper() or value.islower())]
    affected = sum(counts[value] for value in unlike)
    if not affected or affected > 0.5 * (rows - column.nulls):
        return []
    example = first_row(column.name, unlike)
    message = (
        f"{said(affected, 'value', 'values')} of {column.name} in capitals or small letters alone, unlike the others: "
        f"{quoted(example.value if example else unlike[0])}."
    )
    mending = mend("change_text_casing", column=column.name, case="title")
    return [issue("inconsistent_case", "info", column.name, affected, rows, message, example, mending)]


def _may_repeat(column: ColumnProfile, rows: int) -> bool:
    """Whether its values are names of things that come again."""
    few = column.distinct.count <= 0.5 * (rows - column.nulls)
    return column.semantic.type in ("category", "country", "state") or (
        column.semantic.type in ("name", "text") and few
    )


def _spelled(
    column: ColumnProfile,
    rows: int,
    found: Spellings,
    code: IssueCode,
    severity: Severity,
    how: str,
    first_row: FirstRow,
) -> Issue:
    common, others = next(iter(found.mapping.items()))
    message = (
        f"{said(len(found.others), 'spelling', 'spellings')} in {column.name} unlike another one {how}: "
        f"{quoted(others[0])} and {quoted(common)}."
    )
    if len(found.mapping) <= MANY_GROUPS:
        mending = mend("standardize_values", column=column.name, mapping=found.mapping, case_sensitive=True)
    elif code == "case_variants":
        mending = mend("change_text_casing", column=column.name, case="lower")
    else:
        mending = None
    return issue(code, severity, column.name, found.rows, rows, message, first_row(column.name, others[:1]), mending)
