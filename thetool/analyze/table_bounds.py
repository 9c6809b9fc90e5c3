"""Keeping the answer of a wide table within what can be stored and shown. What is left out is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pydantic_core
from pydantic import BaseModel

from thetool.analyze.remarks import Note
from thetool.analyze.table_schemas import TableResult
from thetool.tables.profile.schemas import ColumnProfile
from thetool.tables.reading.report import ReadColumn

DETAIL_BYTES = 3 << 20
"""So much JSON may the details of all columns be; the columns after that are described in brief."""
COLUMN_BYTES = 8 << 20
"""So much may all descriptions of columns be together; the columns after that are left out."""
MOST_ISSUES = 1_000
MOST_CORRELATIONS = 5_000

_BRIEF_PROFILE: dict[str, Any] = {"top": [], "texts": None, "histogram": None, "outliers": None}
_BRIEF_READING: dict[str, Any] = {"untyped_examples": [], "null_words": {}, "date_formats": {}, "currencies": {}}


def bounded(result: TableResult) -> list[Note]:
    """Cut the result down, in place; notes say what was left out. An everyday table stays as it is."""
    columns, profile = result.reading.columns, result.profile
    profiles = profile.column_profiles if profile else []
    detailed = _fit(columns, profiles, DETAIL_BYTES)
    notes = []
    if detailed < len(columns):
        columns[detailed:] = [one.model_copy(update=_BRIEF_READING) for one in columns[detailed:]]
        profiles[detailed:] = [one.model_copy(update=_BRIEF_PROFILE) for one in profiles[detailed:]]
        kept = detailed + _fit(columns[detailed:], profiles[detailed:], COLUMN_BYTES - DETAIL_BYTES)
        notes.append(_told(len(columns), detailed, kept))
        del columns[kept:], profiles[kept:]
    if profile is not None and len(profile.issues) > MOST_ISSUES:
        notes.append(_note("profile", "issues, the gravest first", MOST_ISSUES, len(profile.issues)))
        del profile.issues[MOST_ISSUES:]
    if profile is not None and profile.correlations and len(profile.correlations) > MOST_CORRELATIONS:
        notes.append(_note("correlations", "pairs, the strongest first", MOST_CORRELATIONS, len(profile.correlations)))
        profile.correlations.sort(key=lambda pair: -abs(pair.pearson or 0))
        del profile.correlations[MOST_CORRELATIONS:]
    return notes


def _fit(columns: Sequence[ReadColumn], profiles: Sequence[ColumnProfile], most: int) -> int:
    """How many columns from the first one on have descriptions of up to `most` bytes together."""
    taken = 0
    for place, column in enumerate(columns):
        taken += _bytes(column) + (_bytes(profiles[place]) if place < len(profiles) else 0)
        if taken > most:
            return place
    return len(columns)


def _bytes(model: BaseModel) -> int:
    return len(pydantic_core.to_json(model))


def _told(columns: int, detailed: int, kept: int) -> Note:
    brief = f"of the first {detailed:,} of {columns:,} columns everything is told, of the others the main things only"
    left_out = f", and of the last {columns - kept:,} nothing" if kept < columns else ""
    return Note(task="table", note=f"It is so wide that {brief}{left_out}; they were all read.")


def _note(task: str, what: str, most: int, there_are: int) -> Note:
    return Note(task=task, note=f"The answer has {most:,} {what}, of {there_are:,}.")
