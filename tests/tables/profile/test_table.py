"""The profile of whole tables."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import polars as pl
import pytest

from tests.tables.profile.conftest import Profiled
from thetool.tables.profile.schemas import Profile, ProfileOptions


def test_a_small_table(profiled: Profiled) -> None:
    days = [date(2026, 1, 1), date(2026, 1, 3), None, date(2026, 3, 5), date(2026, 3, 4)]
    profile = profiled(
        {
            "code": ["FR-123", "DE-124", "FR-123", None, "x"],
            "day": days,
            "paid": [True, False, True, True, None],
        }
    )
    assert (profile.rows, profile.columns, profile.cells_empty) == (5, 3, 3)
    code, day, paid = profile.column_profiles
    assert (code.type, day.type, paid.type) == ("text", "date", "boolean")
    assert [(top.value, top.count) for top in code.top] == [("FR-123", 2), ("DE-124", 1), ("x", 1)]
    assert code.texts is not None
    assert (code.texts.shortest, code.texts.longest, code.texts.mean_length) == (1, 6, 19 / 4)
    assert [(form.pattern, form.count, form.example) for form in code.texts.patterns] == [
        ("AA-999", 3, "FR-123"),
        ("a", 1, "x"),
    ]
    assert day.dates is not None
    assert day.dates.earliest.date() == min(filter(None, days))
    assert day.dates.latest.date() == date(2026, 3, 5)
    assert day.dates.median.date() == date(2026, 1, 3)
    assert day.dates.span_days == 63
    assert day.dates.future == 1
    assert day.top[0].value == "2026-01-01"
    assert [(top.value, top.count) for top in paid.top] == [("true", 3), ("false", 1)]
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_duplicates_are_pandas_duplicates(profiled: Profiled) -> None:
    frame = pd.DataFrame({"a": ["x", "y", "x", None, None, "x"], "b": ["1", "1", "1", "2", "2", "2"]})
    columns = {name: [None if pd.isna(cell) else cell for cell in frame[name]] for name in frame}
    found = profiled(columns).duplicate_rows
    assert found.exact
    assert found.count == frame.duplicated().sum() == 2


def test_columns_swapped_are_no_duplicates(profiled: Profiled) -> None:
    assert profiled({"a": ["x", "y"], "b": ["y", "x"]}).duplicate_rows.count == 0


def test_blank_cells_are_null(profiled_file: Profiled) -> None:
    name, age = profiled_file('name,age\na,1\n"",\n"  "," "\n,n/a\nb,5\n').column_profiles
    assert (name.nulls, name.blanks) == (3, 3)
    assert (age.nulls, age.blanks) == (3, 2)
    assert name.distinct.count == 2


def test_moments_keep_their_zone_and_their_microseconds(profiled: Profiled) -> None:
    moments = pl.Series([datetime(2026, 1, 1, 23, 59, 59, 999_999), datetime(1890, 5, 1)]).dt.replace_time_zone("UTC")
    said = profiled({"at": moments}).column_profiles[0].dates
    assert said is not None
    assert said.latest == datetime(2026, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    assert said.earliest == datetime(1890, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("columns", [{}, {"a": pl.Series([], dtype=pl.String), "b": pl.Series([], dtype=pl.Int64)}])
def test_a_table_without_rows(profiled: Profiled, columns: dict[str, pl.Series]) -> None:
    profile = profiled(columns)
    assert (profile.rows, profile.columns) == (0, len(columns))
    assert profile.duplicate_rows.count == 0


def test_the_progress_rises_to_one(profiled: Profiled) -> None:
    seen: list[float] = []
    profiled({"a": [1], "b": ["x"]}, progress=lambda done, what: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_who_watches_may_stop_it(profiled: Profiled) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: float, what: str) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        profiled({"a": [1]}, progress=stop)


@pytest.mark.parametrize(
    "name", ["*", "^.*$", "^a$", "", " ", "value", "rows", "characters", "suspicious", "a\nb", "é" * 200]
)
def test_any_name_is_only_a_name(profiled: Profiled, name: str) -> None:
    columns = {
        "a": [1.0, 2.5, 2.5, 9.0, None] * 8,
        name: ["x", "X", " x", "y", "y"] * 8,
        f"{name} 2": [3.0, 2.5, None, 9.0, 4.0] * 8,
    }
    profile = profiled(columns, options=ProfileOptions(correlations=True))
    plain = profiled({"a": columns["a"], "b": columns[name], "c": columns[f"{name} 2"]})
    assert [column.distinct for column in profile.column_profiles] == [
        column.distinct for column in plain.column_profiles
    ]
    assert [issue.code for issue in profile.issues] == [issue.code for issue in plain.issues]
    assert [issue.example and issue.example.row for issue in profile.issues] == [
        issue.example and issue.example.row for issue in plain.issues
    ]
    assert profile.correlations is not None
    assert profile.correlations[0].columns == ("a", f"{name} 2")
