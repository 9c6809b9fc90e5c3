"""Issues of a column of text, from the defects of its cells and the spellings of its values."""

from __future__ import annotations

from dataclasses import dataclass

from thetool.tables.profile.issue_schemas import Example, Issue, IssueCode, Mend, Reread, Severity
from thetool.tables.profile.issues.cells import PATTERNS, CellDefects, Found, repaired
from thetool.tables.profile.issues.mending import listed, mend
from thetool.tables.profile.issues.of_columns import FirstRow, issue, quoted, read_as, said
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
_MARKS = {".": "a decimal point", ",": "a decimal comma"}
_PATTERN_TYPES = {"email": "email", "phone": "phone", "url": "url", "date": "date", "postal_code": "zipcode"}


@dataclass
class Mixed:
    """A column of text with numbers in it."""

    numbers: int
    others: int
    number: Example
    other: Example


@dataclass
class Marks:
    """A column of text whose numbers have either decimal mark."""

    points: int
    commas: int
    point: Example
    comma: Example


@dataclass
class Evidence:
    """What was found in a column of text."""

    defects: CellDefects
    fit: Fit | None
    mixed: Mixed | None
    marks: Marks | None
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
        if not defect.rows:
            continue
        severity, words, mending = _cell_defect(code, name, defect)
        such = listed([quoted(word) for word in defect.values]) if defect.values else quoted(defect.value)
        message = f"{said(defect.rows, 'value', 'values')} of {name} {words}: {such}."
        example = Example(row=defect.row or 1, column=name, value=shown(defect.value))
        reread = _without(name, list(defect.values)) if code == "null_words" else None
        found.append(issue(code, severity, name, defect.rows, rows, message, example, mending, reread))
    return found


def _without(name: str, words: list[str]) -> Reread:
    """To read words as nothing."""
    told = listed([quoted(word) for word in words])
    return read_as(name, f"Read {told} in {name} as nothing.", null_words=sorted({word.strip() for word in words}))


def _cell_defect(code: IssueCode, name: str, defect: Found) -> tuple[Severity, str, Mend | None]:
    """How grave it is, what it is in words, what mends it."""
    if code == "surrounding_whitespace":
        effect = f"Cut the blanks before and after the values of {name}."
        return (
            "warning",
            "with blanks before or after",
            mend("trim_whitespace", effect, columns=[name], trim_type="both"),
        )
    if code == "inner_whitespace":
        effect = f"Make one blank of several in the values of {name}, and none at their ends."
        return (
            "info",
            "with two blanks or more inside",
            mend("trim_whitespace", effect, columns=[name], trim_type="all"),
        )
    if code == "formulas":
        effect = "Put an apostrophe before them, so that a spreadsheet shows them and does not run them."
        mending = mend("regex_replace", effect, column=name, pattern=PATTERNS["formulas"], replacement=r"'\0")
        return "warning", "that a spreadsheet would run as a formula", mending
    if code == "control_characters":
        pattern = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff\u00ad]"
        return (
            "warning",
            "with characters that cannot be seen",
            mend("regex_replace", "Take these characters out.", column=name, pattern=pattern, replacement=""),
        )
    if code == "lost_characters":
        return "critical", "with letters that were lost when the file was written or read", None
    if code == "broken_encoding":
        right = repaired(defect.value)
        words = "with letters in a wrong encoding" + (f" (it should be {quoted(right)})" if right else "")
        return "critical", words, mend("repair_encoding", "Write these letters anew.", columns=[name])
    if code == "null_words":
        return (
            "warning",
            "that may stand for nothing",
            mend("replace_with_null", "Empty these cells.", column=name, values=sorted(defect.values)),
        )
    pattern = r"""^\s*["'`“”„«»;,|*#~\\_=<>]+\s*|\s*["'`“”„«»;,|*#~\\_=<>]+\s*$"""
    return (
        "info",
        "with a mark before or after that hardly belongs to them",
        mend("regex_replace", f"Take such marks off the ends of {name}.", column=name, pattern=pattern, replacement=""),
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
        new = f"{name}_valid"
        effect = f"Tell in a new column, {new}, which values are right."
        mending = (
            mend("validate_pattern", effect, column=name, pattern_type=pattern, new_column=new) if pattern else None
        )
        example = Example(row=fit.odd.row, column=name, value=shown(fit.odd.value))
        found.append(issue("invalid_values", "warning", name, wrong, rows, message, example, mending))
    if evidence.marks is not None and fit is None:
        found.append(_two_marks(name, rows, evidence.marks))
    if mixed is not None and fit is None:
        fewer, example = min((mixed.numbers, mixed.number), (mixed.others, mixed.other), key=lambda pair: pair[0])
        mostly = mixed.numbers > mixed.others
        message = (
            f"{name} has {said(mixed.numbers, 'number', 'numbers')} and {said(mixed.others, 'text', 'texts')}, such as "
            f"{quoted(mixed.number.value)} and {quoted(mixed.other.value)}."
        )
        severity: Severity = "critical" if mostly else "warning"
        mending, reread = _as_numbers(name) if mostly else (None, None)
        found.append(issue("mixed_types", severity, name, fewer, rows, message, example, mending, reread))
    return found


def _as_numbers(name: str, mark: str | None = None) -> tuple[Mend, Reread]:
    effect = f"Make {name} a column of numbers, in which the cells are empty that are none."
    options = {"type": "number"} | ({"decimal": mark} if mark else {})
    which = f" with {_MARKS[mark]}" if mark else ""
    told = f"Read {name} as numbers{which}; what is none is counted, and kept as text."
    mending = mend("change_column_type", effect, column=name, to_type="float", errors="coerce")
    return mending, read_as(name, told, **options)


def _two_marks(name: str, rows: int, marks: Marks) -> Issue:
    """Numbers with a decimal point beside such with a comma."""
    point, comma = marks.point, marks.comma
    message = (
        f"{name} has {said(marks.points, 'number', 'numbers')} with a decimal point, such as {quoted(point.value)}, "
        f"and {marks.commas:,} with a decimal comma, such as {quoted(comma.value)}, so it was read as text."
    )
    fewer, example, mark = (marks.commas, comma, ".") if marks.commas <= marks.points else (marks.points, point, ",")
    return issue("mixed_decimals", "critical", name, fewer, rows, message, example, *_as_numbers(name, mark))


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
    effect = f"Write The Values Of {column.name} Like This."
    mending = mend("change_text_casing", effect, column=column.name, case="title")
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
        groups = [
            f"{listed([quoted(other) for other in some])} as {quoted(one)}" for one, some in found.mapping.items()
        ]
        effect = (
            f"Write {'; '.join(groups[:3])}{f'; and {len(groups) - 3:,} more like that' if len(groups) > 3 else ''}."
        )
        mending = mend("standardize_values", effect, column=column.name, mapping=found.mapping, case_sensitive=True)
    elif code == "case_variants":
        effect = f"Write the values of {column.name} in small letters."
        mending = mend("change_text_casing", effect, column=column.name, case="lower")
    else:
        mending = None
    return issue(code, severity, column.name, found.rows, rows, message, first_row(column.name, others[:1]), mending)
