"""Surveys of columns of text, and of values that are only counted: booleans and times of day."""

from __future__ import annotations

import re
from datetime import datetime

import polars as pl

from thetool.tables.profile import numbers
from thetool.tables.profile.columns import SAMPLE, Survey
from thetool.tables.profile.finding import first_with
from thetool.tables.profile.issue_schemas import Example, Issue
from thetool.tables.profile.issues.cells import SUSPICIOUS, CellDefects
from thetool.tables.profile.issues.of_columns import FirstRow, of_keys
from thetool.tables.profile.issues.of_texts import Evidence, Marks, Mixed, of_text
from thetool.tables.profile.issues.spellings import MOST_VALUES
from thetool.tables.profile.schemas import ColumnProfile, ProfileOptions
from thetool.tables.profile.semantics.texts import Fit, Meaning, meaning
from thetool.tables.profile.tally import Tally
from thetool.tables.profile.texts import Lengths, shown
from thetool.tables.reading.report import ColumnType, ReadColumn

_NUMBER = r"[-+]?[0-9]+(?:[., '\u00a0\u202f][0-9]+)*"
_number = re.compile(_NUMBER)
# Numbers whose decimal mark is sure: 1.234 may be thousands, in either writing.
_MARKED = {
    ".": r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)\.(?:[0-9]{1,2}|[0-9]{4,})",
    ",": r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),(?:[0-9]{1,2}|[0-9]{4,})",
}
_LOOKED_AT = 100
_FEW = 0.05
_PARALLEL = 50_000


class WordSurvey(Survey):
    """A column of booleans or of times of day."""

    def __init__(
        self, name: str, kind: ColumnType, rows: int, options: ProfileOptions, read: ReadColumn | None
    ) -> None:
        super().__init__(name, kind, rows, options, read)
        self.tally = Tally()

    def add(self, start: int, values: pl.Series) -> None:
        """Add the rows from `start` on."""
        super().add(start, values)
        counts = values.cast(pl.String).alias("value").value_counts(name="rows").drop_nulls("value")
        self.count(start, counts, len(values))

    def count(self, start: int, counts: pl.DataFrame, rows: int) -> None:
        """Add the different values of a batch of so many rows."""
        self.tally.add(counts, more_to_come=start + rows < self.rows)

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        top = numbers.top_values(self.tally.top(self.options.top_values), self.values)
        return self.profile(self.by_type(), self.tally.distinct(), top, not self.tally.lost)


class TextSurvey(WordSurvey):
    """A column of text."""

    def __init__(
        self, name: str, kind: ColumnType, rows: int, options: ProfileOptions, read: ReadColumn | None
    ) -> None:
        super().__init__(name, kind, rows, options, read)
        self._lengths = Lengths()
        self._sample: list[str] = []
        self._step = max(1, rows // SAMPLE)
        self._meaning = Meaning()
        self._defects = CellDefects(read is not None and read.null_words_asked)
        self._fit: Fit | None = None
        self._numbers = 0
        self._number: Example | None = None
        self._other: Example | None = None
        self._marked = dict.fromkeys(_MARKED, 0)
        self._marks: dict[str, Example | None] = dict.fromkeys(_MARKED)

    def add(self, start: int, values: pl.Series) -> None:
        """Add the rows from `start` on."""
        counts = self._without_blanks(values, looked_at(values))
        spread = values if self._step == 1 else values.gather_every(self._step, offset=-start % self._step)
        sample = [value for value in spread.to_list() if value and not value.isspace()]
        self._sample += sample
        rows = counts["rows"].to_numpy()
        self._lengths.add(counts["characters"].to_numpy(), rows)
        meant = counts
        if counts["suspicious"].any():
            self._defects.add(start, values, counts.filter("suspicious"))
            if "null_words" in self._defects.found:
                nothing = self._defects.found["null_words"].values
                meant = counts.filter(~pl.col("value").is_in(list(nothing)))
        self._meaning.add(start, values, meant, sample)
        self._look_for_numbers(start, values, counts, sample)
        self.count(start, counts, len(values))

    def _without_blanks(self, values: pl.Series, counts: pl.DataFrame) -> pl.DataFrame:
        """Count cells without a value; give back the counts of the others."""
        nulls = values.null_count()
        odd = counts.filter("suspicious") if counts["suspicious"].any() else counts.clear()
        blank = odd.filter(pl.col("value").str.strip_chars() == "") if odd.height else odd
        if blank.height:
            nulls += int(blank["rows"].sum())
            counts = counts.filter(~pl.col("value").is_in(blank["value"].implode()))
        self.nulls += nulls
        return counts

    def _look_for_numbers(self, start: int, values: pl.Series, counts: pl.DataFrame, sample: list[str]) -> None:
        some = sample[:: max(1, len(sample) // _LOOKED_AT)]
        numbers_ = sum(_number.fullmatch(value.strip()) is not None for value in some)
        if not _FEW * len(some) <= numbers_ or not numbers_:
            return
        are = counts["value"].str.contains(rf"\A\s*{_NUMBER}\s*\z")
        self._numbers += int(counts["rows"].filter(are).sum())
        self._look_for_marks(start, values, counts)
        if are.all() and len(values) == self.rows:
            return
        self._number = self._number or self._first(start, values, counts["value"].filter(are))
        self._other = self._other or self._first(start, values, counts["value"].filter(~are))

    def _look_for_marks(self, start: int, values: pl.Series, counts: pl.DataFrame) -> None:
        for mark, pattern in _MARKED.items():
            have = counts["value"].str.contains(rf"\A\s*{pattern}\s*\z")
            if have.any():
                self._marked[mark] += int(counts["rows"].filter(have).sum())
                self._marks[mark] = self._marks[mark] or self._first(start, values, counts["value"].filter(have))

    def _first(self, start: int, values: pl.Series, these: pl.Series) -> Example | None:
        if not len(these):
            return None
        at = first_with(values, these)
        return Example(row=start + at + 1, column=self.name, value=shown(values[at]))

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        top = [(shown(value), count) for value, count in self.tally.top(self.options.top_values)]
        texts = self._lengths.told(self._sample)
        distinct = self.tally.distinct()
        semantic, self._fit = meaning(self.name, self._meaning, self.values, distinct, texts)
        top_values = numbers.top_values(top, self.values)
        return self.profile(semantic, distinct, top_values, not self.tally.lost, texts=texts)

    def issues(self, column: ColumnProfile, first_row: FirstRow) -> list[Issue]:
        """Defects of its cells, values of other types, spellings, keys that come twice."""
        found = Evidence(self._defects, self._fit, self._mixed(column), self._two_marks(), self._counts())
        return [*of_text(column, self.rows, found, first_row), *of_keys(column, self.rows, first_row)]

    def _mixed(self, column: ColumnProfile) -> Mixed | None:
        """Numbers among text, if both are more than a few; a column of codes may have them."""
        others = self.values - self._numbers
        if self._number is None or self._other is None or column.semantic.type in ("free_text", "identifier"):
            return None
        if self._numbers < _FEW * self.values or not others:
            return None
        return Mixed(self._numbers, others, self._number, self._other)

    def _two_marks(self) -> Marks | None:
        """Both decimal marks, if most values are numbers."""
        point, comma = self._marks["."], self._marks[","]
        if point is None or comma is None or self._numbers < 0.5 * self.values:
            return None
        return Marks(self._marked["."], self._marked[","], point, comma)

    def _counts(self) -> dict[str, int] | None:
        counts = self.tally.counts
        if self.tally.lost or counts.height > MOST_VALUES:
            return None
        return dict(zip(counts["value"].to_list(), counts["rows"].to_list(), strict=True))


def looked_at(values: pl.Series) -> pl.DataFrame:
    """The different values of a column (`value`), their `rows` and `characters`, and whether they are `suspicious`."""
    value = pl.col("value")
    asked = (
        value.str.len_chars().alias("characters"),
        ((value == "") | value.str.contains(SUSPICIOUS)).alias("suspicious"),
    )
    if len(values) < _PARALLEL:
        counts = values.alias("value").value_counts(name="rows")
        counts = counts.drop_nulls("value") if values.null_count() else counts
        return counts.with_columns_seq(asked)
    # the lazy engine counts on all cores, but takes longer to begin
    frame = values.alias("value").to_frame().lazy().drop_nulls()
    return frame.group_by("value").agg(pl.len().alias("rows")).with_columns(asked).collect()
