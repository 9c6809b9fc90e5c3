"""The profile of a table that was read: `profile_table`."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import polars as pl

from thetool.tables.profile.columns import Survey
from thetool.tables.profile.correlations import correlations
from thetool.tables.profile.duplicates import RowHashes
from thetool.tables.profile.issue_schemas import Issue
from thetool.tables.profile.issues import of_columns, of_tables
from thetool.tables.profile.issues.totals import TAIL, total_rows
from thetool.tables.profile.number_columns import DateSurvey, NumberSurvey
from thetool.tables.profile.schemas import ColumnProfile, DuplicateRows, Profile, ProfileOptions
from thetool.tables.profile.source import Source
from thetool.tables.profile.word_columns import TextSurvey, WordSurvey
from thetool.tables.reading.report import ColumnType, ReadColumn, Reading

LONG = 50_000
Result = TypeVar("Result")
Progress = Callable[[float, str], None]
"""Told how far it is, 0 to 1, and which column was last; may raise to stop the work."""


def unwatched(done: float, what: str) -> None:
    """Watch nothing, stop nothing."""


def profile_table(
    folder: Path,
    reading: Reading,
    options: ProfileOptions | None = None,
    progress: Progress = unwatched,
    now: datetime | None = None,
) -> Profile:
    """Say what is in the table of `folder`, which `read_table` wrote: `text.parquet` and `typed.parquet`.

    Every statistic is over all rows, but where the profile says otherwise. Takes memory for one column at a time of a
    long table, plus 8 bytes a row. `reading` is what `read_table` told, `now` decides which dates are in the future.
    """
    return _Profiling(folder, reading, options or ProfileOptions(), progress, now or datetime.now(UTC)).profile()


class _Profiling:
    """One table on its way to its profile."""

    def __init__(
        self, folder: Path, reading: Reading, options: ProfileOptions, progress: Progress, now: datetime
    ) -> None:
        self.reading = reading
        self.read = {column.name: column for column in reading.columns}
        self.source = Source(folder, reading.rows, (name for name, column in self.read.items() if column.untyped))
        self.options = options
        self.progress = progress
        self.now = now
        self.hashes = RowHashes(self.source.rows)
        self.columns: list[ColumnProfile] = []
        self.issues: list[Issue] = []
        self.memory = 0
        self.tails: list[pl.DataFrame] = []

    def profile(self) -> Profile:
        source = self.source
        for names in source.groups():
            surveys = {name: _survey(name, source, self.options, self.read.get(name)) for name in names}
            self._go_through(surveys)
            for column, issues in self._side_by_side(self._told, list(surveys.values())):
                self.columns.append(column)
                self.issues += issues
                self.progress(0.95 * len(self.columns) / len(source.types), column.name)
        duplicates = self._whole_table()
        related, notes = correlations(source, self.columns) if self.options.correlations else (None, [])
        self.progress(1.0, "")
        issues = of_tables.joined(self.issues, self.columns, source.rows)
        return Profile(
            rows=source.rows,
            columns=len(self.columns),
            cells_empty=sum(column.nulls for column in self.columns),
            cells_untyped=sum(column.untyped for column in self.columns),
            duplicate_rows=duplicates,
            memory_bytes=self.memory,
            column_profiles=self.columns,
            issues=of_tables.ordered(issues, list(source.types)),
            correlations=related,
            notes=notes,
        )

    def _go_through(self, surveys: dict[str, Survey]) -> None:
        for start, typed in self.source.tiles(list(surveys)):
            self._add(start, typed, surveys)
            tail = typed.tail(TAIL)
        self.tails.append(tail)

    def _add(self, start: int, typed: pl.DataFrame, surveys: dict[str, Survey]) -> None:
        self.memory += int(typed.estimated_size())
        self.hashes.add(start, self.source.as_read(list(surveys), start, typed))
        self._side_by_side(lambda survey: survey.add(start, typed[survey.name]), list(surveys.values()))

    def _side_by_side(self, work: Callable[[Survey], Result], surveys: list[Survey]) -> list[Result]:
        """Work on some columns; on those of a long table on all cores, for what counts and sorts lets others run."""
        if self.source.rows < LONG or len(surveys) < 2:
            return [work(survey) for survey in surveys]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(work, surveys))

    def _told(self, survey: Survey) -> tuple[ColumnProfile, list[Issue]]:
        column = survey.told(self.now)
        if not self.source.rows:
            return column, []
        issues = of_columns.of_any(column, self.source.rows, survey.read)
        return column, [*issues, *survey.issues(column, self.source.first_row)]

    def _whole_table(self) -> DuplicateRows:
        if not self.source.types or not self.source.rows:
            return DuplicateRows(count=0, exact=True, method="the table is empty")
        rows = self.source.rows
        duplicates, first = self.hashes.duplicates(self.source)
        example = self.source.row(first) if first else None
        if len(self.columns) > 1:
            self.issues += of_tables.of_rows(duplicates, first, example, rows)
        self.issues += of_tables.of_empty_rows(*self.hashes.empty_rows(), rows)
        self.issues += of_tables.of_same_columns(self.hashes.same_columns(self.source), rows)
        self.issues += total_rows(pl.concat(self.tails, how="horizontal"), rows)
        self.issues += of_tables.of_reading(self.reading, rows)
        return duplicates


def _survey(name: str, source: Source, options: ProfileOptions, read: ReadColumn | None) -> Survey:
    """The survey for a column of this name, by its Polars type."""
    dtype, rows = source.types[name], source.rows
    if dtype.is_integer():
        return NumberSurvey(name, ColumnType.INTEGER, rows, options, read)
    if dtype.is_numeric():
        return NumberSurvey(name, ColumnType.NUMBER, rows, options, read)
    if dtype == pl.Date:
        return DateSurvey(name, ColumnType.DATE, rows, options, read)
    if dtype == pl.Datetime:
        return DateSurvey(name, ColumnType.DATETIME, rows, options, read)
    if dtype == pl.Boolean:
        return WordSurvey(name, ColumnType.BOOLEAN, rows, options, read)
    if dtype == pl.Time:
        return WordSurvey(name, ColumnType.TIME, rows, options, read)
    return TextSurvey(name, ColumnType.TEXT, rows, options, read)
